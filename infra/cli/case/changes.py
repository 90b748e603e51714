"""`case-cli cases ...`: create cases and change them, each change once however often it is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer
from rich.text import Text

from infra.cli.case.cases import Key, path_of
from infra.cli.case.complete import project_keys
from infra.cli.case.input import text_of
from infra.cli.case.problem import Problem, usage
from infra.cli.case.projects import find_project
from infra.cli.case.resource import CASE, attributes_of, document, due_date
from infra.cli.case.session import IdempotencyKey, Session, command
from infra.cli.case.text import clean
from infra.cli.case.view import case_line
from streams.cases.case import STANDARD_TYPE, Priority, Status

app = typer.Typer()

Description = Annotated[
    str | None, typer.Option("--description", "-d", metavar="TEXT", help="More about it; `-` reads standard input.")
]
NewPriority = Annotated[
    Priority | None,
    typer.Option("--priority", case_sensitive=False, metavar="PRIORITY", help="P1 to P5, or NOT_DEFINED."),
]


@dataclass(frozen=True, slots=True)
class Step:
    """A change: the last part of its path, its attributes, and the version that it was made for, if it was for one."""

    name: str
    attributes: dict[str, Any] | None = None
    version: int | None = None


@command(
    app,
    "create",
    examples="""
case-cli cases create 'Checkout is slow' --project OPS --priority P2
case-cli cases create 'Nightly report' --description - < report.txt
case-cli cases create 'Disk full' --json | jq -r .data.attributes.key
""",
)
def create_case(
    session: Session,
    *,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about, at most 160 characters.")],
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            metavar="KEY",
            help="The project: its key or id. Default: the only one.",
            autocompletion=project_keys,
        ),
    ] = None,
    description: Description = None,
    priority: NewPriority = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", "-a", metavar="USER", help="Whose case it is (id).")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", metavar="NAME=VALUE", help="May be repeated.")
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Create a case and show its key."""
    attributes = {
        "title": title,
        "description": None if description is None else text_of(description, session.out),
        "priority": None if priority is None else priority.value,
        "type_id": STANDARD_TYPE,
    }
    tags = attributes_of(attribute or ())
    user = None if assignee is None else ("user", _user(assignee))
    found = find_project(session, project)
    body = document(CASE, attributes, project=("project", found["id"]), assignee=user)
    base = idempotency_key or str(uuid4())
    answer = session.client.write("POST", "/api/v2/cases", body, key=base)
    if tags:
        case = answer["data"]
        try:
            answer = _apply(
                session, path_of(case["id"]), [Step("attributes", {"attributes": tags})], f"{base}/attributes"
            )
        except Problem as problem:
            problem.hint = f"{case['attributes']['key']} is created, but without its attributes. {problem.hint}".strip()
            raise
    _changed(session, answer, "Created")


@command(
    app,
    "update",
    examples="""
case-cli cases update OPS-12 --status IN_PROGRESS --priority P1
case-cli cases update OPS-12 --attribute team=database --attribute region=
case-cli cases update OPS-12 --status CLOSED --resolved-reason 'Index added'
case-cli cases update OPS-12 --due-date +3d --assignee none
""",
)
def update_case(
    session: Session,
    *,
    key: Key,
    title: Annotated[str | None, typer.Option("--title", "-t", metavar="TEXT")] = None,
    description: Description = None,
    status: Annotated[
        Status | None,
        typer.Option("--status", "-s", case_sensitive=False, metavar="STATUS", help="OPEN, IN_PROGRESS or CLOSED."),
    ] = None,
    priority: NewPriority = None,
    assignee: Annotated[
        str | None, typer.Option("--assignee", "-a", metavar="USER", help="User id; `none` for nobody.")
    ] = None,
    due: Annotated[
        str | None, typer.Option("--due-date", metavar="DATE", help="2026-03-01, today, tomorrow, +3d, or none.")
    ] = None,
    resolved_reason: Annotated[
        str | None, typer.Option("--resolved-reason", metavar="TEXT", help="Why it is closed; the case must be.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="NAME=VALUE", help="Set; NAME= removes. May be repeated; others stay."),
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Change fields of a case. Several are changed one after the other, the status before the resolved reason."""
    steps: list[Step] = []
    if attribute:
        steps.append(_merged(session, key, attributes_of(attribute)))
    if title is not None:
        steps.append(Step("title", {"title": title}))
    if description is not None:
        steps.append(Step("description", {"description": text_of(description, session.out)}))
    if priority is not None:
        steps.append(Step("priority", {"priority": priority.value}))
    if assignee is not None:
        steps.append(_assignment(assignee))
    if due is not None:
        steps.append(Step("due_date", {"due_date": due_date(due, date.today())}))  # noqa: DTZ011 - the user's own day is meant
    if status is not None:
        steps.append(Step("status", {"status": status.value}))
    if resolved_reason is not None:
        steps.append(Step("resolved_reason", {"security_resolved_reason": resolved_reason}))
    if not steps:
        raise usage("nothing to change", "Name a field, for example --status IN_PROGRESS; --help lists them.")
    _changed(session, _apply(session, path_of(key), steps, idempotency_key or str(uuid4())), "Updated")


@command(
    app,
    "assign",
    examples="""
case-cli cases assign OPS-12 3f0c5f4e-7b7e-4a53-9d0c-2f6f1a1b7f10
case-cli cases assign OPS-12 none
""",
)
def assign_case(
    session: Session,
    *,
    key: Key,
    user: Annotated[str, typer.Argument(metavar="USER", help="User id; `none` for nobody.")],
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Give a case to a user, or to nobody."""
    answer = _apply(session, path_of(key), [_assignment(user)], idempotency_key or str(uuid4()))
    _changed(session, answer, "Unassigned" if user == "none" else "Assigned")


@command(app, "archive", examples="case-cli cases archive OPS-12")
def archive_case(session: Session, *, key: Key, idempotency_key: IdempotencyKey = None) -> None:
    """Put a case away. Nothing is lost; `unarchive` brings it back."""
    _changed(session, _apply(session, path_of(key), [Step("archive")], idempotency_key or str(uuid4())), "Archived")


@command(app, "unarchive", examples="case-cli cases unarchive OPS-12")
def unarchive_case(session: Session, *, key: Key, idempotency_key: IdempotencyKey = None) -> None:
    """Bring back a case that was archived."""
    answer = _apply(session, path_of(key), [Step("unarchive")], idempotency_key or str(uuid4()))
    _changed(session, answer, "Unarchived")


@command(
    app,
    "comment",
    examples="""
case-cli cases comment OPS-12 'Failing over to the replica.'
git log -3 | case-cli cases comment OPS-12 -
""",
)
def comment_case(
    session: Session,
    *,
    key: Key,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The comment; `-` reads standard input.")],
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Comment on a case."""
    body = document(CASE, {"comment": text_of(text, session.out)})
    answer = session.client.write("POST", f"{path_of(key)}/comment", body, key=idempotency_key)
    if session.out.as_json:
        session.out.json(answer)
        return
    session.out.print(Text.assemble(("Commented ", "green"), "on ", (clean(key), "bold")))


def _assignment(user: str) -> Step:
    return Step("unassign") if user == "none" else Step("assign", {"assignee_id": _user(user)})


def _merged(session: Session, key: str, tags: dict[str, list[str]]) -> Step:
    """Return the change that sets these attributes and keeps the others, refused if anybody else changes any meanwhile."""
    now = session.client.get(path_of(key))["data"]["attributes"]
    merged = {**(now.get("attributes") or {}), **tags}
    return Step("attributes", {"attributes": {n: values for n, values in merged.items() if values}}, now.get("version"))


def _apply(session: Session, path: str, steps: list[Step], base: str) -> dict[str, Any]:
    """Make the changes in their order, each under an Idempotency-Key of its own; stop at the first that is refused."""
    done: list[str] = []
    answer: dict[str, Any] = {}
    for step in steps:
        key = f"{base}/{step.name}" if len(steps) > 1 else base
        body = document(CASE, step.attributes)
        try:
            answer = session.client.write("POST", f"{path}/{step.name}", body, key=key, version=step.version)
        except Problem as problem:
            if done:
                left = [s.name for s in steps if s.name not in done]
                told = f"Changed: {', '.join(done)}. Not changed: {', '.join(left)}."
                problem.hint = f"{told} {problem.hint}".strip()
            raise
        done.append(step.name)
    return answer


def _changed(session: Session, answer: dict[str, Any], verb: str) -> None:
    if session.out.as_json:
        session.out.json(answer)
        return
    case_line(session.out, verb, answer["data"])


def _user(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise usage(
            f"{text!r} is not a user id", "Users are named by their UUID; `case-cli cases get KEY` shows them."
        ) from None
