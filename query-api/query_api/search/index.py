"""The index of cases: searches and counts, its errors by name, and no query that names no tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError, TransportError

from infra.runtime.errors import StoreUnavailable
from query_api.search.translate import Query

ALIAS: Final = "case"
TIMEOUT: Final = "5s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """total: of all that match. ids: of this page, in order. last: the sort values of its last, as the index has them."""

    total: int
    ids: tuple[str, ...]
    last: tuple[Any, ...] | None


class CaseIndex:
    """Raises StoreUnavailable where Elasticsearch is away or has too much to do."""

    def __init__(self, client: AsyncElasticsearch, *, alias: str = ALIAS) -> None:
        self._client = client
        self._alias = alias

    async def search(
        self,
        query: Query,
        *,
        sort: list[dict[str, Any]],
        size: int,
        offset: int = 0,
        after: tuple[Any, ...] | None = None,
    ) -> Hits:
        """Return a page of what matches: by `offset`, or what comes behind the sort values `after`."""
        more = {"from_": offset} if after is None else {"search_after": list(after)}
        async with _named():
            answer = await self._client.search(
                index=self._alias,
                query=query,
                sort=sort,
                size=size,
                source={"includes": ["case_id"]},
                track_total_hits=True,
                timeout=TIMEOUT,
                allow_partial_search_results=False,
                **more,
            )
        hits = answer["hits"]["hits"]
        return Hits(
            total=answer["hits"]["total"]["value"],
            ids=tuple(hit["_source"]["case_id"] for hit in hits),
            last=tuple(hits[-1]["sort"]) if hits else None,
        )

    async def fetch(self, query: Query, *, fields: list[str], sort: Any, size: int) -> list[dict[str, Any]]:
        """Return some fields of the best documents."""
        async with _named():
            answer = await self._client.search(
                index=self._alias, query=query, source={"includes": fields}, sort=sort, size=size, timeout=TIMEOUT
            )
        return [hit["_source"] for hit in answer["hits"]["hits"]]

    async def count(self, query: Query) -> int:
        async with _named():
            answer = await self._client.count(index=self._alias, query=query)
        return int(answer["count"])

    async def aggregate(self, query: Query, groups: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return how many match, and the aggregations by name."""
        async with _named():
            answer = await self._client.search(
                index=self._alias,
                query=query,
                aggregations=groups or None,
                size=0,
                track_total_hits=True,
                timeout=TIMEOUT,
                allow_partial_search_results=False,
            )
        return int(answer["hits"]["total"]["value"]), dict(answer.get("aggregations", {}))


_BUSY: Final = frozenset({408, 429, 502, 503, 504})


@asynccontextmanager
async def _named() -> AsyncIterator[None]:
    """Tell what is away from what is a bug: a query that Elasticsearch refuses was translated wrongly here."""
    try:
        yield
    except NotFoundError as error:
        raise StoreUnavailable("the search index is not there yet") from error
    except ApiError as error:
        if error.status_code in _BUSY:
            raise StoreUnavailable(f"Elasticsearch has too much to do ({error.status_code})") from error
        raise
    except TransportError as error:
        raise StoreUnavailable(f"Elasticsearch does not answer: {type(error).__name__}") from error
