"""Accepting a command: appended once, whatever is repeated, and answered when its effect can be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from infra.runtime.auth import Caller
from infra.runtime.kafka import CommandLog
from infra.runtime.logging import context, logger
from infra.runtime.outcomes import Outcome, Outcomes
from infra.runtime.postgres import Database
from infra.runtime.problems import of_rejection, problem
from schemas import codec
from schemas.topics import MAX_RECORD_BYTES
from streams.envelope import Envelope
from streams.ids import aggregate_key, derive

WAIT_SECONDS: Final = 5.0
KEY_LIMIT: Final = 255
_log = logger("commands")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a request says besides its content. fingerprint: of all that must be the same when a key is used again.

    correlation_id: a UUID under which logs know the request; the command's own id where it has none.
    """

    idempotency_key: str | None = None
    fingerprint: bytes = b""
    expected_version: int | None = None
    traceparent: str | None = None
    seconds: float = WAIT_SECONDS

    @classmethod
    def of(cls, *parts: str | bytes, **given: Any) -> Ask:
        """Return an ask whose fingerprint is over `parts`."""
        digest = sha256()
        for part in parts:
            raw = part.encode() if isinstance(part, str) else part
            digest.update(len(raw).to_bytes(8, "big") + raw)
        return cls(fingerprint=digest.digest(), **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A command that came to an end: its id, and what it came to (never a rejection, which is raised)."""

    command_id: str
    outcome: Outcome


class Commands:
    """Appends commands and waits for their outcomes. now: microseconds since 1970."""

    def __init__(
        self,
        log: CommandLog,
        database: Database,
        outcomes: Outcomes,
        *,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
        source: str = "api",
    ) -> None:
        self._log = log
        self._database = database
        self._outcomes = outcomes
        self._now = now
        self._source = source

    async def submit(
        self,
        caller: Caller,
        operation: str,
        ask: Ask,
        *,
        topic: str,
        aggregate_id: str,
        body: Any,
        key: str | None = None,
    ) -> Submitted:
        """Append `body` for an aggregate and return its outcome. key: of the record, where it is not the aggregate's.

        Under an Idempotency-Key it may be repeated for 24 hours and is carried out once. Raises Problem: as the stage
        rejected it; 422 where the key was used for another request; 504 where the outcome did not come in time, which
        says nothing about whether it will. Raises BrokerUnavailable where nothing was taken.
        """
        command_id = _command_id(caller, operation, ask)
        with context(tenant_id=caller.tenant_id, command_id=command_id):
            if ask.idempotency_key is not None:
                earlier = await self._earlier(caller, command_id, ask)
                if earlier is not None:
                    return _answered(command_id, earlier)
            async with self._outcomes.expecting(caller.tenant_id, command_id) as expected:
                value = codec.encode(self._envelope(caller, command_id, aggregate_id, ask), body)
                if len(value) > MAX_RECORD_BYTES:
                    raise problem(
                        413,
                        "request.too_large",
                        f"the command takes {len(value)} bytes; the limit is {MAX_RECORD_BYTES} bytes",
                    )
                record_key = key if key is not None else aggregate_key(caller.tenant_id, aggregate_id)
                await self._log.append(topic, record_key, value)
                outcome = await expected.wait(ask.seconds)
            if outcome is None:
                _log.warning("command pending", operation=operation, seconds=ask.seconds)
                again = (
                    "repeat the request with the same Idempotency-Key for the outcome"
                    if ask.idempotency_key is not None
                    else "it is not known yet; nothing is lost. With an Idempotency-Key the request could be repeated"
                )
                raise problem(
                    504,
                    "command.pending",
                    f"the command was taken, but its outcome did not come in {ask.seconds:g} s: {again}",
                    headers={"X-Command-Id": command_id},
                    more={"command_id": command_id},
                )
            _log.info(
                "command",
                operation=operation,
                verdict=outcome.verdict,
                position=str(outcome.position),
                code=outcome.code,
            )
            return _answered(command_id, outcome)

    def _envelope(self, caller: Caller, command_id: str, aggregate_id: str, ask: Ask) -> Envelope:
        now = self._now()
        return Envelope(
            tenant_id=caller.tenant_id,
            aggregate_id=aggregate_id,
            id=command_id,
            correlation_id=command_id,
            source=self._source,
            actor=caller.actor,
            grant=caller.grant,
            occurred_at=now,
            recorded_at=now,
            expected_version=ask.expected_version,
            reply_by=now + int(ask.seconds * 1_000_000),
            traceparent=ask.traceparent,
        )

    async def _earlier(self, caller: Caller, command_id: str, ask: Ask) -> Outcome | None:
        """Return the outcome of an earlier request under the same key, None where there is none yet."""
        async with self._database.tenant(caller.tenant_id) as connection:
            inserted = await connection.execute(
                "INSERT INTO idempotency_key (tenant_id, command_id, fingerprint) VALUES (%s, %s, %s) "
                "ON CONFLICT DO NOTHING",
                (caller.tenant_id, command_id, ask.fingerprint),
            )
            if inserted.rowcount == 1:
                return None
            found = await connection.execute(
                "SELECT fingerprint FROM idempotency_key WHERE tenant_id = %s AND command_id = %s",
                (caller.tenant_id, command_id),
            )
            row = await found.fetchone()
        if row is not None and bytes(row["fingerprint"]) != ask.fingerprint:
            raise problem(
                422,
                "idempotency.key_reused",
                "this Idempotency-Key was used for another request in the last 24 hours; use a new one",
                field="Idempotency-Key",
            )
        return await self._outcomes.get(caller.tenant_id, command_id)


def _command_id(caller: Caller, operation: str, ask: Ask) -> str:
    if ask.idempotency_key is None:
        return str(uuid4())
    if not 0 < len(ask.idempotency_key) <= KEY_LIMIT:
        raise problem(
            400,
            "idempotency.key_invalid",
            f"an Idempotency-Key has 1 to {KEY_LIMIT} characters",
            field="Idempotency-Key",
        )
    return derive(caller.tenant_id, caller.credential_id, operation, ask.idempotency_key)


def _answered(command_id: str, outcome: Outcome) -> Submitted:
    if outcome.verdict == "rejected":
        assert outcome.code is not None
        raise of_rejection(
            outcome.code,
            outcome.detail or outcome.code,
            outcome.field,
            headers={"X-Command-Id": command_id},
        )
    return Submitted(command_id=command_id, outcome=outcome)
