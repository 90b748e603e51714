"""Cases: one by its id or key, and lists of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from infra.runtime.auth import Caller
from infra.runtime.errors import StoreUnavailable
from infra.runtime.kafka import Position
from infra.runtime.problems import Problem, problem
from query_api.operations.page import WINDOW, Key, Page, continued, next_cursor, numbered
from query_api.readers import Readers
from query_api.search.scope import scoped
from query_api.search.translate import Asker
from schemas.rest.value import moment
from sinks.postgres import reads
from sinks.postgres.reads import After, CaseOrder, Row
from streams.cases.case import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is asked for. text: a search, None or blank for all that are not archived. cursor: goes before `number`.

    position: of a write that the search must see.
    """

    text: str | None = None
    order: CaseOrder = CaseOrder.CREATED_AT
    ascending: bool = False
    number: int = 1
    size: int = 10
    cursor: str | None = None
    position: Position | None = None

    @property
    def searches(self) -> bool:
        return self.text is not None and bool(self.text.strip())

    @property
    def asked(self) -> tuple[str, ...]:
        """What must stay the same from page to page."""
        return (self.text or "", self.order, str(self.ascending))


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """rows: of view `case`. number: counts from 1. matching: all that the pages hold together. next_cursor: None at the end."""

    rows: list[Row]
    number: int
    size: int
    matching: int
    next_cursor: str | None


async def get_case(readers: Readers, caller: Caller, name: str) -> Row:
    """Return a case by id or key, archived or not. Problem 404 "case.not_found"."""
    async with readers.db.tenant(caller.tenant_id) as connection:
        found = await reads.case(connection, name)
    if found is None:
        raise not_found(name)
    return found


def not_found(name: str) -> Problem:
    return problem(404, "case.not_found", f"there is no case {name[:64]}", field="case_id")


async def list_cases(readers: Readers, caller: Caller, listing: Listing) -> CasePage:
    """Return a page of cases: of all from Postgres, where every write that returned is visible; of a search from the index.

    Problem 400 for a query or page that cannot be, 504 where the index does not see `position` in time.
    """
    if listing.cursor is None:
        page = numbered(listing.number, listing.size)
    else:
        page = continued(listing.cursor, listing.size, listing.asked)
    found = _searched if listing.searches else _listed
    return await found(readers, caller, listing, page)


async def _listed(readers: Readers, caller: Caller, listing: Listing, page: Page) -> CasePage:
    after = None if page.key is None else _after(page.key, listing.order)
    async with readers.db.tenant(caller.tenant_id) as connection:
        # One more than asked for tells whether there are more.
        rows = await reads.cases(
            connection,
            order=listing.order,
            ascending=listing.ascending,
            limit=page.size + 1,
            offset=page.offset,
            after=after,
        )
        matching = await reads.count_cases(connection, at_most=WINDOW + 1)
    if matching > WINDOW:
        matching = await _count_many(readers, caller)
    shown = rows[: page.size]
    more = len(rows) > page.size
    cursor = next_cursor(page, _key(shown[-1], listing.order), listing.asked) if more else None
    return CasePage(rows=shown, number=page.number, size=page.size, matching=matching, next_cursor=cursor)


async def _count_many(readers: Readers, caller: Caller) -> int:
    """Count where there are so many that the index's second of delay is not seen; Postgres would read each of them."""
    query = scoped(caller, "", Asker(user_id=caller.user_id, now=readers.now()))
    try:
        return max(await readers.index.count(query), WINDOW + 1)
    except StoreUnavailable:
        async with readers.db.tenant(caller.tenant_id) as connection:
            return await reads.count_cases(connection, at_most=2**62)


async def _searched(readers: Readers, caller: Caller, listing: Listing, page: Page) -> CasePage:
    """Find ids in the index and read the cases from Postgres: as they are now, and by a second wall between tenants."""
    query = scoped(caller, listing.text or "", Asker(user_id=caller.user_id, now=readers.now()))
    if listing.position is not None:
        await readers.visibility.wait(listing.position)
    hits = await readers.index.search(
        query,
        sort=_sort(listing.order, ascending=listing.ascending),
        size=page.size,
        offset=page.offset,
        after=page.key,
    )
    async with readers.db.tenant(caller.tenant_id) as connection:
        rows = await reads.cases_by_id(connection, hits.ids)
    more = (
        hits.last is not None
        and len(hits.ids) == page.size
        and (page.key is not None or page.offset + page.size < hits.total)
    )
    cursor = next_cursor(page, tuple(hits.last), listing.asked) if more and hits.last is not None else None
    return CasePage(rows=rows, number=page.number, size=page.size, matching=hits.total, next_cursor=cursor)


def _sort(order: CaseOrder, *, ascending: bool) -> list[dict[str, Any]]:
    """Return the order that Postgres lists in, as Elasticsearch has it."""
    forth, back = ("asc", "desc") if ascending else ("desc", "asc")
    match order:
        case CaseOrder.CREATED_AT:
            first, then = [], forth
        case CaseOrder.PRIORITY:
            first, then = [{"priority_rank": forth}], back
        case CaseOrder.STATUS:
            # OPEN, IN_PROGRESS, CLOSED: their order in time is the reverse of that in the alphabet.
            first, then = [{"status": back}], back
    at = {"created_at": {"order": then, "format": "strict_date_optional_time_nanos"}}
    return [*first, at, {"case_id": then}]


_PRIORITY_RANKS: Final = {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 5}
_STATUS_RANKS: Final = {Status.OPEN: 1, Status.IN_PROGRESS: 2, Status.CLOSED: 3}


def _key(row: Row, order: CaseOrder) -> Key:
    at = (moment(row["created_at"]), str(row["case_id"]))
    match order:
        case CaseOrder.CREATED_AT:
            return at
        case CaseOrder.PRIORITY:
            return (_PRIORITY_RANKS.get(row["priority"], 6), *at)
        case CaseOrder.STATUS:
            return (_STATUS_RANKS[Status(row["status"])], *at)


def _after(key: Key, order: CaseOrder) -> After:
    *rank, created_at, case_id = key
    first = rank[0] if rank else 0
    if (order is CaseOrder.CREATED_AT) == bool(rank) or not isinstance(first, int):
        raise problem(400, "page.cursor_unknown", "this is no cursor that a page gave", field="page[cursor]")
    return After(rank=first, created_at=datetime.fromisoformat(str(created_at)), case_id=UUID(str(case_id)))
