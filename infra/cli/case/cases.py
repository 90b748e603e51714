"""`case-cli cases ...`: find cases and look at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

import typer

from infra.cli.case.complete import case_keys, project_keys
from infra.cli.case.problem import usage
from infra.cli.case.query import query_of
from infra.cli.case.session import Session, command
from infra.cli.case.text import plural
from infra.cli.case.view import activity_lines, case_sheet, case_table, comment_lines
from streams.cases.case import Priority, Status

app = typer.Typer(no_args_is_help=True, help="Find cases, look at them, create and change them.")

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="The case: its key (OPS-12) or its id.", autocompletion=case_keys)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many to show.")]
Page = Annotated[int, typer.Option("--page", min=1, help="Which page of them.")]
Sort = Annotated[
    str,
    typer.Option(
        "--sort", metavar="FIELD", help="created_at, priority (P1 first) or status; -FIELD for the other way round."
    ),
]
ProjectFilter = Annotated[
    str | None,
    typer.Option("--project", "-p", metavar="KEY", help="Only of this project.", autocompletion=project_keys),
]
StatusFilter = Annotated[
    list[Status] | None,
    typer.Option(
        "--status",
        "-s",
        case_sensitive=False,
        metavar="STATUS",
        help="Only those that are OPEN, IN_PROGRESS or CLOSED; may be repeated.",
    ),
]
PriorityFilter = Annotated[
    list[Priority] | None,
    typer.Option(
        "--priority",
        case_sensitive=False,
        metavar="PRIORITY",
        help="Only those of this priority, P1 to P5 or NOT_DEFINED; may be repeated.",
    ),
]
AssigneeFilter = Annotated[str | None, typer.Option("--assignee", "-a", metavar="USER", help="Only of this user (id).")]


def path_of(key: str) -> str:
    """Return the path of a case by its key or id."""
    return f"/api/v2/cases/{quote(key, safe='')}"


def _found(session: Session, search: str, limit: int, page: int, sort: str) -> None:
    answer = session.client.get(
        "/api/v2/cases",
        {
            "filter": search or None,
            "page[size]": limit,
            "page[number]": page,
            "sort[field]": sort.removeprefix("-"),
            "sort[asc]": "false" if sort.startswith("-") else "true",
        },
    )
    if session.out.as_json:
        session.out.json(answer)
        return
    cases = answer["data"]
    meta = answer.get("meta") or {}
    total = meta.get("total_cases")
    pages = (meta.get("page") or {}).get("total")
    if not cases:
        session.out.note(_nothing(session, searched=bool(search), page=page))
        return
    case_table(session.out, cases)
    of = f" of {total}" if isinstance(total, int) and total > len(cases) else ""
    further = f"; more: --page {page + 1}" if isinstance(pages, int) and page < pages else ""
    session.out.note(f"{len(cases)}{of} case{'' if (len(cases), of) == (1, '') else 's'}{session.where}{further}")


def _nothing(session: Session, *, searched: bool, page: int) -> str:
    if page > 1:
        return f"No page {page}{session.where}."
    others = f" Another tenant: --tenant {' or '.join(session.target.others)}." if session.target.others else ""
    if searched:
        return f"No cases match{session.where}.{others}"
    return f"No cases{session.where}. Create one: case-cli cases create TITLE.{others}"


@command(
    app,
    "list",
    examples="""
case-cli cases list
case-cli cases list --project OPS --status OPEN --priority P1 --priority P2
case-cli cases list --json | jq -r '.data[].attributes.key'
""",
)
def list_cases(
    session: Session,
    *,
    project: ProjectFilter = None,
    status: StatusFilter = None,
    priority: PriorityFilter = None,
    assignee: AssigneeFilter = None,
    limit: Limit = 25,
    page: Page = 1,
    sort: Sort = "-created_at",
) -> None:
    """List cases, the newest first."""
    search = query_of(project=project, statuses=status or (), priorities=priority or (), assignee=assignee)
    _found(session, search, limit, page, sort)


@command(
    app,
    "search",
    examples="""
case-cli cases search 'disk full'
case-cli cases search 'checkout AND (priority:P1 OR -status:CLOSED)'
case-cli cases search '"connection pool"' --status OPEN --json
""",
)
def search_cases(
    session: Session,
    *,
    text: Annotated[
        str,
        typer.Argument(metavar="QUERY", help='Words, "quoted words", status:OPEN, priority:P1; AND, OR, - and ( ).'),
    ],
    project: ProjectFilter = None,
    status: StatusFilter = None,
    priority: PriorityFilter = None,
    assignee: AssigneeFilter = None,
    limit: Limit = 25,
    page: Page = 1,
    sort: Sort = "-created_at",
) -> None:
    """Find cases by words of their titles, descriptions and attributes. New ones are found within 1.5 s."""
    search = query_of(text, project=project, statuses=status or (), priorities=priority or (), assignee=assignee)
    _found(session, search, limit, page, sort)


@command(
    app,
    "get",
    examples="""
case-cli cases get OPS-12
case-cli cases get OPS-12 --json | jq -r .data.attributes.status
case-cli cases get OPS-12 --as-of '2026-03-01 14:05'
case-cli cases get OPS-12 --as-of now-2h
case-cli cases get OPS-12 --version 3
""",
)
def get_case(
    session: Session,
    *,
    key: Key,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="As it was then: an ISO time, in your zone where it names none, or now-2h. Without its comments.",
        ),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, metavar="N", help="As it was at this version.")
    ] = None,
) -> None:
    """Show a case with its comments, or as it was."""
    if as_of is not None and version is not None:
        raise usage("--as-of and --version are two answers to one question", "Give one of them.")
    then = None if as_of is None else _moment(as_of)
    answer = session.client.get(path_of(key), {"as_of": then, "version": version})
    if session.out.as_json:
        session.out.json(answer)
        return
    case = answer["data"]
    case_sheet(session.out, case)
    if then is not None or version is not None:
        name = case["attributes"]["key"]
        session.out.note(f"as of version {case['attributes']['version']}; what changed: case-cli cases activity {name}")
        return
    cells = session.client.get(f"{path_of(case['id'])}/timelines", {"page[size]": 100, "sort[ascending]": "true"})
    comment_lines(session.out, cells["data"])


def _moment(text: str) -> str:
    """Return a time as the API takes it. One without a zone is meant as this program shows times: in the user's."""
    if not text.strip():
        raise usage("--as-of needs a time", "Write it like 2026-03-01T14:05, or now-2h.")
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        # now-2h, or nothing that the API knows, which it says.
        return text.strip()
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@command(
    app,
    "timeline",
    examples="""
case-cli cases timeline OPS-12
case-cli cases timeline OPS-12 --json | jq -r '.data[].attributes.cell_content.message'
""",
)
def timeline(session: Session, *, key: Key, limit: Limit = 50, page: Page = 1) -> None:
    """Show the comments of a case, the oldest first."""
    # The API counts these pages from 0.
    asked = {"page[size]": limit, "page[number]": page - 1, "sort[ascending]": "true"}
    answer = session.client.get(f"{path_of(key)}/timelines", asked)
    if session.out.as_json:
        session.out.json(answer)
        return
    cells = answer["data"]
    comment_lines(session.out, cells)
    if not cells and page == 1:
        session.out.note(f"No comments. Add one: case-cli cases comment {key} TEXT")
    else:
        more = f"; more: --page {page + 1}" if len(cells) == limit else ""
        session.out.note(f"{plural(len(cells), 'comment')}{more}")


@command(app, "activity", examples="case-cli cases activity OPS-12")
def activity(session: Session, *, key: Key, limit: Limit = 100, page: Page = 1) -> None:
    """Show all that happened to a case: who changed what, from what, to what, when."""
    answer = session.client.get(f"{path_of(key)}/activity", {"page[size]": limit, "page[number]": page - 1})
    if session.out.as_json:
        session.out.json(answer)
        return
    activity_lines(session.out, answer["data"])
    if len(answer["data"]) == limit:
        session.out.note(f"more: --page {page + 1}")
