"""One Elasticsearch index as this sink uses it: bulks, refreshes, and whether it is there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, cast

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError
from elasticsearch.serializer import OrjsonSerializer

from infra.runtime.errors import Backpressure, StoreUnavailable
from sinks.elasticsearch import bulk
from sinks.elasticsearch.bulk import Later, Write, Written, Wrong

RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""After these the loop takes over, which goes on for ever and keeps its place in the group meanwhile."""

_AT_ONCE: Final = 2
_ANSWER: Final = ("items.*.status", "items.*.error.type", "items.*.error.reason")
_TIMEOUT_SECONDS: Final = 30.0


@dataclass(slots=True)
class Outcome:
    """What became of the documents of one `write`. wrong: id -> cause."""

    written: int = 0
    stale: int = 0
    wrong: dict[str, str] = field(default_factory=dict)


class SearchIndex:
    """name: of an alias with a write index, or of an index. Calls may come from several threads."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        orjson = OrjsonSerializer()
        self._client = Elasticsearch(
            url,
            # On the way to a server in the same place, compressing costs more than it saves.
            http_compress=False,
            request_timeout=_TIMEOUT_SECONDS,
            # What is tried again, and when, is decided here: item by item.
            max_retries=0,
            retry_on_timeout=False,
            serializers=dict.fromkeys(("application/json", "application/vnd.elasticsearch+json"), orjson),
        )
        self._senders = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bulk")
        self._is_alias = False

    def require(self) -> None:
        """Raise StoreUnavailable where the index is not there: writing to it would make one without a mapping."""
        try:
            found = self._client.indices.get_alias(index=self.name)
        except NotFoundError as error:
            raise StoreUnavailable(f"Elasticsearch has no index {self.name}: run the migrations") from error
        except (TransportError, ApiError) as error:
            raise _away(error) from error
        self._is_alias = self.name not in found.body

    def write(self, writes: Iterable[Write]) -> Outcome:
        """Write documents, each id once, and return when each is durable, stale or wrong for good.

        The next request is made while the last ones are under way. Raises StoreUnavailable, and Backpressure where
        the index has too much to do; what was written stays so, and is stale when it comes again.
        """
        outcome = Outcome()
        later, cause = self._round(writes, outcome)
        for seconds in RETRY_SECONDS:
            if not later or outcome.wrong:
                # With documents that are wrong the caller comes again anyway.
                break
            time.sleep(seconds)
            later, cause = self._round(later, outcome)
        if later and cause is not None and not outcome.wrong:
            kind = Backpressure if cause.full else StoreUnavailable
            raise kind(f"Elasticsearch did not take {len(later)} documents: {cause.cause}")
        return outcome

    def refresh(self) -> None:
        """Return when all that was acked before is found. Raises StoreUnavailable."""
        try:
            answer = self._client.indices.refresh(index=self.name)
        except (TransportError, ApiError) as error:
            raise _away(error) from error
        failed = answer["_shards"]["failed"]
        if failed:
            raise StoreUnavailable(f"{failed} shards of {self.name} were not refreshed")

    def close(self) -> None:
        self._senders.shutdown()
        self._client.close()

    def _round(self, writes: Iterable[Write], outcome: Outcome) -> tuple[list[Write], Later | None]:
        """Send all once. Returns those to send again, and why."""
        sent: list[tuple[list[Write], Future[Sequence[Written | Wrong | Later]]]] = [
            (request, self._senders.submit(self._send, request)) for request in bulk.split(writes)
        ]
        again: list[Write] = []
        cause: Later | None = None
        # All are waited for, also when one fails: nothing of an old round is under way when a new one begins.
        failed = [error for _, future in sent if (error := future.exception()) is not None]
        if failed:
            raise failed[0]
        for request, future in sent:
            for write, result in zip(request, future.result(), strict=True):
                match result:
                    case Written(stale=stale):
                        outcome.written += not stale
                        outcome.stale += stale
                    case Wrong(cause=said):
                        outcome.wrong[write.id] = said
                    case Later():
                        again.append(write)
                        cause = result
        return again, cause

    def _send(self, request: list[Write]) -> Sequence[Written | Wrong | Later]:
        try:
            answer: Any = self._client.bulk(
                index=self.name,
                # Lines that are encoded already go out as they are.
                operations=cast("Any", [write.body for write in request]),
                require_alias=self._is_alias,
                filter_path=_ANSWER,
            ).body
        except ApiError as error:
            return self._refused(request, error)
        except TransportError as error:
            raise _away(error) from error
        return bulk.read(answer, len(request))

    def _refused(self, request: list[Write], error: ApiError) -> Sequence[Written | Wrong | Later]:
        """The server refused the request as a whole. A fault of one document is looked for by halves."""
        status = error.status_code
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE} and len(request) > 1:
            middle = len(request) // 2
            return [*self._send(request[:middle]), *self._send(request[middle:])]
        body = error.body if isinstance(error.body, dict) else {}
        return [bulk.judge(status, body.get("error", str(error.body)))] * len(request)


def _away(error: TransportError | ApiError) -> StoreUnavailable:
    return StoreUnavailable(f"Elasticsearch does not answer: {error.message}")
