"""What an event of configuration says of the rows of stage `config`: its object, names that are taken, rules together."""

from __future__ import annotations

from typing import Any, TypeVar

from schemas import codec
from schemas.codec import Decoded
from streams.config.decide import Change, Objects
from streams.config.stage import ConfigStage
from topologies.refold import Get

R = TypeVar("R")


class _Held:
    """Rows as the stage asks for them."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def get(self, key: str, kind: type[R], /) -> R | None:
        row = self._get(key)
        state = codec.decode_row(row) if row else None
        return state if isinstance(state, kind) else None


class ConfigEffects:
    """As `ConfigStage` writes them: by its own function, which knows nothing but the event and the rows before it."""

    def __init__(self) -> None:
        self._stage = ConfigStage()

    def of(self, key: str, event: Decoded, get: Get, /) -> list[tuple[str, bytes]]:
        change = Change(event=event.body, object_id=event.envelope.aggregate_id, after=event.after)
        changed, _ = self._stage.effects(Objects(key, _Held(get)), change)
        return [(name, b"" if state is None else codec.encode_row(state)) for name, state in changed.items()]

    def told(self, _body: Any, /) -> bytes | None:
        return None
