"""`case-cli cases ...`: find cases, look at them, create and change them."""

from __future__ import annotations

import sys
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID, uuid4

import typer
from rich.text import Text

from infra.cli import case_output as show
from infra.cli.case_problem import Problem
from infra.cli.case_projects import find_project
from infra.cli.case_resource import CASE, attributes_of, document, due_date, related
from infra.cli.case_session import IdempotencyKey, Session, command
from infra.cli.case_view import activity_lines, case_sheet, case_table, comment_lines
from streams.cases.case import STANDARD_TYPE, Priority, Status

app = typer.Typer(no_args_is_help=True, help="Find cases, look at them, create and change them.")

Key = Annotated[str, typer.Argument(metavar="KEY", help="The case: its key (OPS-12) or its id.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many to show.")]
Page = Annotated[int, typer.Option("--page", min=1, help="Which page of them.")]
Sort = Annotated[
    str, typer.Option("--sort", metavar="FIELD", help="created_at, priority or status; -FIELD for descending.")
]


def path_of(key: str) -> str:
    return f"/api/v2/cases/{quote(key, safe='')}"


def query_of(
    text: str, project: str | None, statuses: list[Status], priorities: list[Priority], assignee: str | None
) -> str:
    """Return the search that the options say, in the API's search language."""
    parts = [text.strip()] if text.strip() else []
    if project:
        parts.append(f"project:{project}")
    for name, values in (("status", statuses), ("priority", priorities)):
        if len(values) == 1:
            parts.append(f"{name}:{values[0].value}")
        elif values:
            parts.append(f"{name}:({' OR '.join(v.value for v in values)})")
    if assignee:
        parts.append(f"assignee:{assignee}")
    return " ".join(parts)


def _found(session: Session, search: str, limit: int, page: int, sort: str) -> None:
    field, descending = sort.lstrip("-"), sort.startswith("-")
    answer = session.client.get(
        "/api/v2/cases",
        {
            "filter": search or None,
            "page[size]": limit,
            "page[number]": page,
            "sort[field]": field,
            "sort[asc]": "false" if descending else "true",
        },
    )
    if session.out.as_json:
        session.out.json(answer)
        return
    cases = answer.get("data") or []
    total = ((answer.get("meta") or {}).get("page") or {}).get("total")
    case_table(session.out, cases)
    where = f" in {session.target.tenant}" if session.target.tenant else ""
    if not cases:
        others = (
            f" or look in another tenant: --tenant {' or '.join(session.target.others)}"
            if session.target.others
            else ""
        )
        session.out.note(f"No cases{where}. Create one: case-cli cases create TITLE --project KEY{others}")
        return
    more = f" of {total}" if isinstance(total, int) and total > len(cases) else ""
    further = f"; next: --page {page + 1}" if isinstance(total, int) and page * limit < total else ""
    session.out.note(f"{len(cases)}{more} case{'' if len(cases) == 1 else 's'}{where}{further}")


@command(
    app,
    "list",
    examples="case-cli cases list\ncase-cli cases list --project OPS --status OPEN --priority P1 --priority P2\ncase-cli cases list --json | jq -r '.data[].attributes.key'",
)
def list_cases(
    session: Session,
    *,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="KEY", help="Only of this project.")] = None,
    status: Annotated[
        list[Status] | None,
        typer.Option("--status", "-s", case_sensitive=False, help="Only with this status; may be repeated."),
    ] = None,
    priority: Annotated[
        list[Priority] | None,
        typer.Option("--priority", case_sensitive=False, help="Only with this priority; may be repeated."),
    ] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", "-a", metavar="USER", help="Only of this user (id).")
    ] = None,
    limit: Limit = 25,
    page: Page = 1,
    sort: Sort = "-created_at",
) -> None:
    """List cases, the newest first."""
    _found(session, query_of("", project, status or [], priority or [], assignee), limit, page, sort)


@command(
    app,
    "search",
    examples="case-cli cases search 'disk full'\ncase-cli cases search 'checkout status:OPEN'\ncase-cli cases search payment --priority P1 --json",
)
def search_cases(
    session: Session,
    *,
    text: Annotated[str, typer.Argument(metavar="QUERY", help="Words, and tests such as status:OPEN or priority:P1.")],
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="KEY", help="Only of this project.")] = None,
    status: Annotated[
        list[Status] | None,
        typer.Option("--status", "-s", case_sensitive=False, help="Only with this status; may be repeated."),
    ] = None,
    priority: Annotated[
        list[Priority] | None,
        typer.Option("--priority", case_sensitive=False, help="Only with this priority; may be repeated."),
    ] = None,
    limit: Limit = 25,
    page: Page = 1,
    sort: Sort = "-created_at",
) -> None:
    """Find cases by words of their titles, descriptions and attributes. New ones are found within 1.5 s."""
    _found(session, query_of(text, project, status or [], priority or [], None), limit, page, sort)


@command(
    app, "get", examples="case-cli cases get OPS-12\ncase-cli cases get OPS-12 --json | jq .data.attributes.status"
)
def get_case(session: Session, *, key: Key) -> None:
    """Show a case with its comments."""
    answer = session.client.get(path_of(key))
    if session.out.as_json:
        session.out.json(answer)
        return
    case = answer["data"]
    case_sheet(session.out, case)
    cells = session.client.get(f"{path_of(case['id'])}/timelines", {"page[size]": 100, "sort[ascending]": "true"})
    comment_lines(session.out, cells.get("data") or [])


@command(
    app,
    "create",
    examples="case-cli cases create 'Checkout is slow' --project OPS --priority P2\necho \"$REPORT\" | case-cli cases create 'Nightly report' --project OPS --description -",
)
def create_case(
    session: Session,
    *,
    title: Annotated[str, typer.Argument(help="What it is about, at most 160 characters.")],
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", metavar="KEY", help="The project: its key or id.  [default: the only one]"),
    ] = None,
    description: Annotated[
        str, typer.Option("--description", "-d", help="More about it; `-` reads standard input.")
    ] = "",
    priority: Annotated[Priority, typer.Option("--priority", case_sensitive=False)] = Priority.NOT_DEFINED,
    assignee: Annotated[
        str | None, typer.Option("--assignee", "-a", metavar="USER", help="Whose case it is (id).")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Create a case and show its key."""
    found = find_project(session, project)
    base = idempotency_key or str(uuid4())
    body = document(
        CASE,
        {
            "title": title,
            "description": text_of(description) or None,
            "priority": priority.value,
            "type_id": STANDARD_TYPE,
        },
        project=("project", found["id"]),
        assignee=("user", _user(assignee)) if assignee else None,
    )
    answer = session.client.write("POST", "/api/v2/cases", body, key=base)
    if attribute:
        case_id = answer["data"]["id"]
        changed = document(CASE, {"attributes": attributes_of(attribute)})
        answer = session.client.write("POST", f"{path_of(case_id)}/attributes", changed, key=f"{base}/attributes")
    _changed(session, answer, "Created")


@command(
    app,
    "update",
    examples="case-cli cases update OPS-12 --status IN_PROGRESS --priority P1\ncase-cli cases update OPS-12 --attribute team=database --attribute region=\ncase-cli cases update OPS-12 --status CLOSED --resolved-reason 'Index added'",
)
def update_case(
    session: Session,
    *,
    key: Key,
    title: Annotated[str | None, typer.Option("--title", "-t")] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="`-` reads standard input.")] = None,
    status: Annotated[Status | None, typer.Option("--status", "-s", case_sensitive=False)] = None,
    priority: Annotated[Priority | None, typer.Option("--priority", case_sensitive=False)] = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", "-a", metavar="USER", help="User id; `none` for nobody.")
    ] = None,
    due: Annotated[
        str | None, typer.Option("--due-date", metavar="DATE", help="2026-03-01, today, tomorrow, +3d, or none.")
    ] = None,
    resolved_reason: Annotated[
        str | None, typer.Option("--resolved-reason", help="Why it is closed; the case must be.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="NAME=VALUE", help="Set; NAME= removes. May be repeated; others stay."),
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Change fields of a case. Several are changed one after the other, the status before the resolved reason."""
    path = path_of(key)
    steps: list[tuple[str, dict[str, Any]]] = []
    if title is not None:
        steps.append(("title", {"title": title}))
    if description is not None:
        steps.append(("description", {"description": text_of(description)}))
    if priority is not None:
        steps.append(("priority", {"priority": priority.value}))
    if assignee is not None:
        steps.append(("unassign", {}) if assignee == "none" else ("assign", {"assignee_id": _user(assignee)}))
    if due is not None:
        steps.append(("due_date", {"due_date": due_date(due, date.today())}))  # noqa: DTZ011 - the user's own day is meant
    if attribute:
        now = session.client.get(path)["data"]["attributes"].get("attributes") or {}
        merged = {**now, **attributes_of(attribute)}
        steps.append(("attributes", {"attributes": {name: values for name, values in merged.items() if values}}))
    if status is not None:
        steps.append(("status", {"status": status.value}))
    if resolved_reason is not None:
        steps.append(("resolved_reason", {"security_resolved_reason": resolved_reason}))
    if not steps:
        raise Problem("nothing to change", hint="Name a field, for example --status IN_PROGRESS; --help lists them.")
    answer = _apply(session, path, steps, idempotency_key or str(uuid4()))
    _changed(session, answer, "Updated")


def _apply(session: Session, path: str, steps: list[tuple[str, dict[str, Any]]], base: str) -> dict[str, Any]:
    done: list[str] = []
    answer: dict[str, Any] = {}
    for name, attributes in steps:
        try:
            body = document(CASE) if name == "unassign" else document(CASE, attributes)
            answer = session.client.write(
                "POST", f"{path}/{name}", body, key=f"{base}/{name}" if len(steps) > 1 else base
            )
        except Problem as problem:
            if done:
                left = [n for n, _ in steps if n not in done]
                problem.hint = f"Changed: {', '.join(done)}. Not changed: {', '.join(left)}. {problem.hint}".strip()
            raise
        done.append(name)
    return answer


@command(
    app,
    "assign",
    examples="case-cli cases assign OPS-12 3f0c5f4e-7b7e-4a53-9d0c-2f6f1a1b7f10\ncase-cli cases assign OPS-12 none",
)
def assign_case(
    session: Session,
    *,
    key: Key,
    user: Annotated[str, typer.Argument(help="User id; `none` for nobody.")],
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Give a case to a user, or to nobody."""
    step = ("unassign", {}) if user == "none" else ("assign", {"assignee_id": _user(user)})
    answer = _apply(session, path_of(key), [step], idempotency_key or str(uuid4()))
    _changed(session, answer, "Unassigned" if user == "none" else "Assigned")


@command(app, "archive", examples="case-cli cases archive OPS-12")
def archive_case(session: Session, *, key: Key, idempotency_key: IdempotencyKey = None) -> None:
    """Put a case away. Nothing is lost; `unarchive` brings it back."""
    answer = session.client.write("POST", f"{path_of(key)}/archive", document(CASE), key=idempotency_key)
    _changed(session, answer, "Archived")


@command(app, "unarchive", examples="case-cli cases unarchive OPS-12")
def unarchive_case(session: Session, *, key: Key, idempotency_key: IdempotencyKey = None) -> None:
    """Bring back a case that was archived."""
    answer = session.client.write("POST", f"{path_of(key)}/unarchive", document(CASE), key=idempotency_key)
    _changed(session, answer, "Unarchived")


@command(
    app,
    "comment",
    examples="case-cli cases comment OPS-12 'Failing over to the replica.'\ngit log -3 | case-cli cases comment OPS-12 -",
)
def comment_case(
    session: Session,
    *,
    key: Key,
    text: Annotated[str, typer.Argument(help="The comment; `-` reads standard input.")],
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Comment on a case."""
    body = document(CASE, {"comment": text_of(text)})
    answer = session.client.write("POST", f"{path_of(key)}/comment", body, key=idempotency_key)
    if session.out.as_json:
        session.out.json(answer)
        return
    session.out.print(Text.assemble(("Commented ", "green"), "on ", (show.clean(key), "bold"), "."))


@command(
    app,
    "timeline",
    examples="case-cli cases timeline OPS-12\ncase-cli cases timeline OPS-12 --json | jq -r '.data[].attributes.cell_content.message'",
)
def timeline(session: Session, *, key: Key, limit: Limit = 50, page: Page = 1) -> None:
    """Show the comments of a case, the oldest first."""
    answer = session.client.get(
        f"{path_of(key)}/timelines", {"page[size]": limit, "page[number]": page - 1, "sort[ascending]": "true"}
    )
    if session.out.as_json:
        session.out.json(answer)
        return
    cells = answer.get("data") or []
    comment_lines(session.out, cells)
    if not cells:
        session.out.note(f"No comments. Add one: case-cli cases comment {key} TEXT")


@command(app, "activity", examples="case-cli cases activity OPS-12")
def activity(session: Session, *, key: Key, limit: Limit = 100) -> None:
    """Show all that happened to a case: who changed what, from what, to what, when."""
    answer = session.client.get(f"{path_of(key)}/activity", {"page[size]": limit})
    if session.out.as_json:
        session.out.json(answer)
        return
    activity_lines(session.out, answer.get("data") or [])


def _changed(session: Session, answer: dict[str, Any], verb: str) -> None:
    if session.out.as_json:
        session.out.json(answer)
        return
    case = answer["data"]
    attributes = case["attributes"]
    session.out.print(
        Text.assemble(
            (f"{verb} ", "green"),
            (attributes.get("key", case["id"]), "bold"),
            "  ",
            show.status(attributes.get("status", ""), attributes.get("status_name", "")),
            "  ",
            show.priority(attributes.get("priority", "NOT_DEFINED")),
            "  ",
            show.clean(attributes.get("title", "")),
        )
    )
    assignee = related(case, "assignee")
    if assignee:
        session.out.note(f"assigned to {assignee}")


def text_of(argument: str) -> str:
    """Return the text that was given, or standard input where that is `-`."""
    return sys.stdin.read().rstrip("\n") if argument == "-" else argument


def _user(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Problem(
            f"{text!r} is not a user id", hint="Users are named by their UUID; `case-cli cases get KEY` shows them."
        ) from None
