"""Settings: read once from the environment, wrong ones told all at once, secrets never shown."""

from __future__ import annotations

import pickle

import pytest

from infra.runtime.errors import SettingsInvalid
from infra.runtime.secret import Secret
from infra.runtime.settings import Settings, documented

GOOD = {
    "CASESTREAM_KAFKA": "127.0.0.1:9092",
    "CASESTREAM_POSTGRES": "postgresql://app:hush@127.0.0.1:5432/casestream",
    "CASESTREAM_ELASTICSEARCH": "http://127.0.0.1:9200",
    "CASESTREAM_REDIS": "redis://:hush@127.0.0.1:6379/0",
}


def test_defaults_are_those_of_development() -> None:
    settings = Settings.from_env(GOOD)

    assert (settings.kafka, settings.partitions, settings.http_port, settings.grpc_port) == (
        "127.0.0.1:9092",
        4,
        8080,
        8081,
    )
    assert settings.postgres.reveal() == GOOD["CASESTREAM_POSTGRES"]
    assert settings.data_dir


def test_all_problems_come_at_once_and_name_their_variables() -> None:
    bad = {
        "CASESTREAM_KAFKA": "nowhere",
        "CASESTREAM_POSTGRES": "postgresql://app:hush@[broken",
        "CASESTREAM_ELASTICSEARCH": "ftp://x",
        "CASESTREAM_HTTP_PORT": "99999",
        "CASESTREAM_LOG_FORMAT": "xml",
        "CASESTREAM_REDDIS": "redis://127.0.0.1",
    }

    with pytest.raises(SettingsInvalid) as caught:
        Settings.from_env(bad)

    said = str(caught.value)
    assert len(caught.value.problems) == 6
    assert "CASESTREAM_HTTP_PORT must be a whole number from 0 to 65535 (it is '99999')" in said
    assert "there is CASESTREAM_REDDIS: is it meant?" in said
    assert "hush" not in said


def test_a_process_is_asked_only_for_the_engines_that_it_needs() -> None:
    settings = Settings.from_env({"CASESTREAM_KAFKA": "127.0.0.1:9092"}, needs=("kafka",))

    assert not settings.postgres
    assert settings.redis == ""


def test_nothing_secret_is_shown() -> None:
    shown = repr(Settings.from_env(GOOD))

    assert "hush" not in shown
    assert "9092" in shown


def test_a_secret_masks_itself_however_it_is_printed() -> None:
    secret = Secret("hush")

    assert "hush" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hush"
    assert secret == Secret("hush")
    assert secret != Secret("other")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_every_setting_says_what_it_is_for() -> None:
    assert all(name.startswith("CASESTREAM_") and about for name, _, about in documented())
