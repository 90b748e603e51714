"""A dead letter as it is said again: the same record, made such that no guard takes it for a repetition. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from schemas import codec
from schemas.signal import AlertSignal
from schemas.topics import GENERATION
from streams.config.changes import ProjectChanged, RulesChanged
from streams.ids import NAMESPACE, derive
from streams.topics import ALERT_COMMANDS, ALERT_SIGNALS, CASE_COMMANDS, CASE_INTAKE, CONFIG_COMMANDS

_FOLDED: Final = frozenset({ALERT_COMMANDS, CASE_INTAKE, CASE_COMMANDS, CONFIG_COMMANDS})


class Hopeless(Exception):  # noqa: N818 - it is a finding, which the user is told
    """Said again, this record would come back at once: today's reader cannot decode it either."""


def again(topic: str, value: bytes | None, *, partition: int = 0, offset: int = 0) -> bytes:
    """Return what to append to `topic` for a letter that stood there at `partition` and `offset`. Raises Hopeless.

    A command made by a stage loses its origin: commands from the same source partition were folded since, so by its
    origin it would be an old one. It is known by its id from then on, as commands from the edge are. Configuration
    keeps its origin: if something newer was folded meanwhile, the old must not come back. A public signal gets the
    signal id that it had by its position, so that it is the same signal. Events are left as they are: whoever has
    their version passes them over.
    """
    try:
        if topic == ALERT_SIGNALS:
            return signal(value, partition, offset)
        decoded = codec.decode(value)
    except codec.Undecodable as error:
        raise Hopeless(str(error)) from error
    assert value is not None
    envelope = decoded.envelope
    if topic not in _FOLDED or envelope.origin is None or isinstance(decoded.body, ProjectChanged | RulesChanged):
        return value
    return codec.encode(replace(envelope, origin=None), decoded.body)


def signal(value: bytes | None, partition: int, offset: int) -> bytes:
    """Return a public signal with the signal id that it has by its position, unless its producer gave it one.

    Raises Hopeless where it is none, and codec.Undecodable.
    """
    if value is None:
        raise Hopeless("there is no value")
    said = codec.decode_row(value)
    if not isinstance(said, AlertSignal):
        raise Hopeless(f"a {type(said).__name__}, not an AlertSignal")
    if said.signal_id is not None:
        return value
    own = derive(derive(str(NAMESPACE), ALERT_SIGNALS), GENERATION, partition, offset)
    return codec.encode_row(replace(said, signal_id=own))
