"""A dead letter holds its record as it was, as far as its topic takes it."""

from __future__ import annotations

import pytest

from infra.cli.operate.again import Hopeless, again
from schemas import codec
from schemas.letter import BYTES, CAUSE_LIMIT, letter
from schemas.signal import AlertSignal
from schemas.topics import DEAD_LETTER_CONFIG, TOPICS
from streams.topics import ALERT_SIGNALS


def test_a_letter_is_the_record_with_where_it_stood_and_why() -> None:
    assert letter("t", 3, 7, b"k", None, "because \ud800") == (
        b"k",
        None,
        (("topic", b"t"), ("partition", b"3"), ("offset", b"7"), ("error", b"because ?")),
    )


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        (b"k" * 10, b"v" * (BYTES - 10), (10, BYTES - 10)),
        (b"k" * 10, b"v" * BYTES, (10, BYTES - 10)),
        (b"k" * (BYTES + 1), b"v", (BYTES, 0)),
        (None, b"v" * (BYTES + 1), (0, BYTES)),
        (b"k" * (BYTES + 1), None, (BYTES, 0)),
    ],
)
def test_of_a_record_that_no_topic_takes_the_beginning_is_kept_and_its_size_is_told(
    key: bytes | None, value: bytes | None, kept: tuple[int, int]
) -> None:
    found = letter("t", 0, 0, key, value, "e" * 2 * CAUSE_LIMIT)
    sizes = len(key or b""), len(value or b"")
    assert (len(found.key or b""), len(found.value or b"")) == kept
    assert (found.key is None, found.value is None) == (key is None, value is None)
    assert dict(found.headers).get("cut") == (None if sizes == kept else b"%d+%d" % sizes)
    around = 200 + sum(len(name) + len(text) for name, text in found.headers)
    assert sum(kept) + around < int(DEAD_LETTER_CONFIG["max.message.bytes"])


def test_what_a_topic_takes_without_compression_is_never_cut() -> None:
    assert {int(topic.config["max.message.bytes"]) for topic in TOPICS.values()} == {BYTES}


def test_a_letter_that_was_cut_is_not_said_again() -> None:
    whole = codec.encode_row(AlertSignal(routing_key="k", action="trigger", summary="x" * BYTES))
    cut = letter(ALERT_SIGNALS, 0, 0, None, whole, "too large").value
    with pytest.raises(Hopeless):
        again(ALERT_SIGNALS, cut)
