"""`case-cli projects ...`: where cases live."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from infra.cli import case_output as show
from infra.cli.case_problem import Exit, Problem
from infra.cli.case_resource import PROJECT, document
from infra.cli.case_session import IdempotencyKey, Session, command

app = typer.Typer(no_args_is_help=True, help="The projects that cases live in.")

Project = Annotated[str, typer.Argument(metavar="PROJECT", help="The project: its key (OPS) or its id.")]
PATH = "/api/v2/cases/projects"


def projects_of(session: Session) -> list[dict[str, Any]]:
    """Return all projects of the tenant."""
    found: list[dict[str, Any]] = session.client.get(PATH).get("data") or []
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
        raise Problem(what, hint=hint)
    for project in projects:
        if name in (project["id"], project["attributes"]["key"]) or name.upper() == project["attributes"]["key"]:
            return project
    where = f" in {session.target.tenant}" if session.target.tenant else ""
    others = f" Other tenants: --tenant {' or '.join(session.target.others)}." if session.target.others else ""
    raise Problem(
        f"there is no project {name}{where}",
        hint=(f"There are: {known}." if known else _CREATE) + others,
        exit_code=Exit.NOT_FOUND,
        code="project.not_found",
    )


_CREATE = "Create one: case-cli projects create KEY NAME"


def _path(project_id: str) -> str:
    return f"{PATH}/{quote(project_id, safe='')}"


@command(app, "list", examples="case-cli projects list\ncase-cli projects list --tenant case_management")
def list_projects(session: Session) -> None:
    """List the tenant's projects."""
    answer = session.client.get(PATH)
    if session.out.as_json:
        session.out.json(answer)
        return
    projects = answer.get("data") or []
    if not projects:
        session.out.note(f"No projects. {_CREATE}")
        return
    rows = [
        (Text(p["attributes"]["key"], style="bold"), p["attributes"].get("name", ""), Text(p["id"], style="dim"))
        for p in projects
    ]
    session.out.table(("KEY", "NAME", "ID"), rows, wide=("NAME",))


@command(app, "get", examples="case-cli projects get OPS")
def get_project(session: Session, *, project: Project) -> None:
    """Show a project."""
    answer = session.client.get(_path(find_project(session, project)["id"]))
    if session.out.as_json:
        session.out.json(answer)
        return
    _sheet(session, answer["data"])


@command(app, "create", examples="case-cli projects create PAY 'Payments'")
def create_project(
    session: Session,
    *,
    key: Annotated[
        str, typer.Argument(help="1 to 30 capital letters, digits or _; it never changes (PAY gives PAY-1).")
    ],
    name: Annotated[str, typer.Argument(help="What people call it.")],
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
        raise Problem("nothing to change", hint="Name a field: --name or --team.")
    body = document(PROJECT, {"name": name, "team_uuid": team})
    answer = session.client.write("PATCH", _path(find_project(session, project)["id"]), body, key=idempotency_key)
    if session.out.as_json:
        session.out.json(answer)
        return
    _said(session, "Updated", answer["data"])


@command(app, "delete", examples="case-cli projects delete PAY\ncase-cli projects delete PAY --yes")
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
    if not yes and not typer.confirm(f"Delete project {key}? It will take no further cases.", err=True):
        raise typer.Exit(1)
    answer = session.client.write("DELETE", _path(found["id"]), key=idempotency_key)
    if session.out.as_json:
        session.out.json(answer)
        return
    _said(session, "Deleted", found)


def _said(session: Session, verb: str, project: dict[str, Any]) -> None:
    a = project["attributes"]
    session.out.print(
        Text.assemble((f"{verb} ", "green"), (show.clean(a["key"]), "bold"), f"  {show.clean(a.get('name', ''))}")
    )
    session.out.note(f"id {project['id']}")


def _sheet(session: Session, project: dict[str, Any]) -> None:
    a = project["attributes"]
    session.out.print(Text.assemble((show.clean(a["key"]), "bold"), "  ", show.clean(a.get("name", ""))))
    session.out.print(Text.assemble(("Id          ", "dim"), project["id"]))
    if a.get("restricted"):
        session.out.print(Text.assemble(("Restricted  ", "dim"), "yes"))
