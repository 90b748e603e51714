"""`case-cli rebuild view` on real engines: beside the serving view, while records come, killed and run again, both ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sinks.base import Raw
from sinks.postgres.tables import SHARED, VIEWS
from tests.fakes.story import EVENTS, everything
from tests.integration.cli.rebuilding import PARTITIONS, World, world
from tests.migrated import Migrated

pytestmark = pytest.mark.engines


@pytest.fixture
def here(kafka_bootstrap: str, elasticsearch_url: str, postgres_dsn: str) -> Iterator[World]:
    """A world whose views have one story. The database is the module's, so that versions go on."""
    with world(kafka_bootstrap, elasticsearch_url, Migrated.of(postgres_dsn)) as made:
        made.database.empty()
        made.produce(story("one"))
        with made.sinks():
            made.settled()
        yield made


def story(seed: str) -> list[Raw]:
    told = everything(partitions=PARTITIONS, seed=seed)
    return [raw for topic in EVENTS for raw in told.records(topic)]


def test_a_new_version_is_filled_compared_and_exchanged(here: World) -> None:
    before, serving = here.dump(), here.versions()["serving"]

    report = here.postgres().run(switch=True)

    assert (report.switched, report.differences, report.wrong, report.changed) == (True, [], [], {})
    assert here.dump() == before == here.dump(f"view_{serving}")
    assert here.versions() == {"serving": int(report.version), "kept": serving}
    assert set(before) == set(VIEWS)


def test_every_table_is_a_view_or_shared(here: World) -> None:
    """A table of a later migration has to be put where it belongs, or a rebuild would leave it behind."""
    rows = here.database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in rows} == {*VIEWS, *SHARED}


def test_an_index_is_filled_compared_and_put_behind_the_alias(here: World) -> None:
    before = here.documents(here.alias)

    report = here.index().run(switch=True)

    assert (report.switched, report.differences) == (True, [])
    assert here.documents(here.alias) == before == here.documents(report.version)
    assert report.kept == f"{here.alias}.first"
