"""`case-cli projects ...`: where cases live."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from infra.cli.case.complete import project_keys
from infra.cli.case.input import sure
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.resource import PROJECT, document
from infra.cli.case.session import IdempotencyKey, Session, command
from infra.cli.case.table import Column
from infra.cli.case.text import clean, styled, when
from infra.cli.case.view import facts

app = typer.Typer(no_args_is_help=True, help="The projects that cases live in.")

Project = Annotated[
    str,
    typer.Argument(metavar="PROJECT", help="The project: its key (OPS) or its id.", autocompletion=project_keys),
]
PATH = "/api/v2/cases/projects"


def projects_of(session: Session) -> list[dict[str, Any]]:
    """Return all projects of the tenant."""
    found: list[dict[str, Any]] = session.client.get(PATH)["data"]
    return found


def find_project(session: Session, name: str | None) -> dict[str, Any]:
    """Return the project of this key or id; the only one where none is named. Raises Problem."""
    projects = projects_of(session)
    known = ", ".join(sorted(p["attributes"]["key"] for p in projects))
    if name is None:
        if len(projects) == 1:
            return projects[0]
        what = "there is no project yet" if not projects else "there are several projects"
        hint = f"Name one of them: --project KEY, with KEY one of {known}." if projects else _CREATE
        raise usage(what, hint)
    for project in projects:
        if name in (project["id"], project["attributes"]["key"]) or name.upper() == project["attributes"]["key"]:
            return project
    raise Problem(
        f"there is no project {name}{session.where}",
        hint=f"{f'There are: {known}.' if known else _CREATE} {session.target.elsewhere}".strip(),
        exit_code=Exit.NOT_FOUND,
        code="project.not_found",
    )


_CREATE = "Create one: case-cli projects create KEY NAME"


def _path(project_id: str) -> str:
    return f"{PATH}/{quote(project_id, safe='')}"


@command(
    app,
    "list",
    examples="""
case-cli projects list
case-cli projects list --tenant case_management
""",
)
def list_projects(session: Session) -> None:
    """List the tenant's projects."""
    answer = session.client.get(PATH)
    if session.out.as_json:
        session.out.json(answer)
        return
    projects = answer["data"]
    if not projects:
        session.out.note(f"No projects. {_CREATE}")
        return
    rows = [
        (styled(p["attributes"]["key"], "bold"), clean(p["attributes"].get("name")), styled(p["id"], "dim"))
        for p in projects
    ]
    session.out.table((Column("KEY"), Column("NAME", wide=True), Column("ID", spare=1)), rows)


@command(app, "get", examples="case-cli projects get OPS")
def get_project(session: Session, *, project: Project) -> None:
    """Show a project."""
    answer = session.client.get(_path(find_project(session, project)["id"]))
    if session.out.as_json:
        session.out.json(answer)
        return
    _sheet(session, answer["data"])


@command(
    app,
    "create",
    examples="""
case-cli projects create PAY 'Payments'
case-cli projects create PAY 'Payments' --json | jq -r .data.id
""",
)
def create_project(
    session: Session,
    *,
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="1 to 30 capital letters, digits or _; it never changes (PAY gives PAY-1)."),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Create a project."""
    body = document(PROJECT, {"key": key, "name": name})
    answer = session.client.write("POST", PATH, body, key=idempotency_key)
    if session.out.as_json:
        session.out.json(answer)
        return
    _said(session, "Created", answer["data"])


@command(app, "update", examples="case-cli projects update PAY --name 'Payments and invoices'")
def update_project(
    session: Session,
    *,
    project: Project,
    name: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="UUID", help="The team that it belongs to.")] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Change a project's name or team. Its key stays."""
    if name is None and team is None:
        raise usage("nothing to change", "Name a field: --name or --team.")
    body = document(PROJECT, {"name": name, "team_uuid": team})
    answer = session.client.write("PATCH", _path(find_project(session, project)["id"]), body, key=idempotency_key)
    if session.out.as_json:
        session.out.json(answer)
        return
    _said(session, "Updated", answer["data"])


@command(
    app,
    "delete",
    examples="""
case-cli projects delete PAY
case-cli projects delete PAY --yes
""",
)
def delete_project(
    session: Session,
    *,
    project: Project,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Delete a project. It takes no further cases; those that it has stay readable."""
    found = find_project(session, project)
    key = found["attributes"]["key"]
    if not yes:
        sure(f"Delete project {key}? It will take no further cases.")
    session.client.write("DELETE", _path(found["id"]), key=idempotency_key)
    if session.out.as_json:
        session.out.json({"data": found})
        return
    _said(session, "Deleted", found)


def _said(session: Session, verb: str, project: dict[str, Any]) -> None:
    a = project["attributes"]
    session.out.print(Text.assemble((f"{verb} ", "green"), (clean(a["key"]), "bold"), f"  {clean(a.get('name'))}"))
    session.out.note(f"id {project['id']}")


def _sheet(session: Session, project: dict[str, Any]) -> None:
    a = project["attributes"]
    session.out.print(Text.assemble((clean(a["key"]), "bold"), "  ", clean(a.get("name"))))
    facts(
        session.out,
        {
            "Id": project["id"],
            "Team": a.get("team_uuid"),
            "Restricted": "yes" if a.get("restricted") else "",
            "Created": when(a.get("created_at")),
            "Changed": when(a.get("modified_at")),
        },
    )
