"""`case-cli rules ...`: which alerts come to nothing, and which are joined to one case."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.text import Text

from infra.cli.case.complete import project_keys, rule_ids
from infra.cli.case.condition import condition, seconds, span, written
from infra.cli.case.input import sure
from infra.cli.case.problem import usage
from infra.cli.case.projects import find_project
from infra.cli.case.resource import document
from infra.cli.case.session import IdempotencyKey, Session, command
from infra.cli.case.table import Column
from infra.cli.case.text import clean, plural, styled, when
from infra.cli.case.view import facts

app = typer.Typer(no_args_is_help=True, help="Rules about alerts: which come to nothing, which are joined to one case.")

PATH: Final = "/api/v2/alert-rules"
ALERT_RULE: Final = "alert_rule"
# What a rule is replaced with: all that can change of it.
_CHANGEABLE: Final = ("name", "enabled", "conditions", "group_by", "window_seconds")


class Kind(StrEnum):
    SUPPRESS = "suppress"
    GROUP = "group"


RuleId = Annotated[str, typer.Argument(metavar="ID", help="The rule: its id.", autocompletion=rule_ids)]
When = Annotated[
    list[str] | None,
    typer.Option(
        "--when",
        metavar="CONDITION",
        help="FIELD=VALUE, FIELD!=VALUE, FIELD~PART, FIELD^=BEGINNING or FIELD; all must hold. May be repeated.",
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="FIELD", help="Alerts with the same value here are one group. May be repeated."),
]
Window = Annotated[
    str | None,
    typer.Option("--window", metavar="SPAN", help="How long after its opening a case takes alerts: 10m, 2h; or none."),
]


def _path(rule_id: str) -> str:
    return f"{PATH}/{quote(rule_id, safe='')}"


@command(
    app,
    "list",
    examples="""
case-cli rules list
case-cli rules list --project OPS --json
""",
    prefer="oncall",
)
def list_rules(
    session: Session,
    *,
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", metavar="KEY", help="Only of this project.", autocompletion=project_keys),
    ] = None,
) -> None:
    """List the rules, in the order in which they apply."""
    answer = session.client.get(PATH, {"filter[project]": project})
    if session.out.as_json:
        session.out.json(answer)
        return
    rules = answer["data"]
    if not rules:
        session.out.note(f"No rules{session.where}: each open alert is a case of its own.")
        return
    rows = []
    for rule in rules:
        a = rule["attributes"]
        rows.append(
            (
                styled(rule["id"], "dim"),
                styled(a.get("project_key"), "bold"),
                clean(a.get("kind")) + ("" if a.get("enabled", True) else " (off)"),
                clean(a.get("name")),
                written(a.get("conditions") or []) or "every alert",
                ", ".join(map(clean, a.get("group_by") or [])),
            )
        )
    columns = (
        Column("ID"),
        Column("PROJECT", spare=1),
        Column("KIND"),
        Column("NAME", wide=True),
        Column("WHEN", wide=True, spare=2),
        Column("BY", spare=3),
    )
    session.out.table(columns, rows)
    session.out.note(plural(len(rules), "rule"))


@command(app, "get", examples="case-cli rules get 5b0e…", prefer="oncall")
def get_rule(session: Session, *, rule: RuleId) -> None:
    """Show a rule."""
    answer = session.client.get(_path(rule))
    if session.out.as_json:
        session.out.json(answer)
        return
    _sheet(session, answer["data"])


@command(
    app,
    "create",
    examples="""
case-cli rules create 'Nothing from staging' --kind suppress --when env=staging
case-cli rules create 'One case a service' --kind group --by service --window 30m
case-cli rules create 'Disks of one host' --kind group --when summary~disk --by host --project OPS
""",
    prefer="oncall",
)
def create_rule(
    session: Session,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    kind: Annotated[
        Kind, typer.Option("--kind", case_sensitive=False, help="suppress: no case. group: one case for several.")
    ],
    conditions: When = None,
    group_by: By = None,
    window: Window = None,
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
    off: Annotated[bool, typer.Option("--disabled", help="Make it, but do not apply it yet.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Make a rule. It holds for alerts that come from now on."""
    attributes = {
        "name": name,
        "kind": kind.value,
        "enabled": not off,
        "conditions": [condition(c) for c in conditions or []],
        "group_by": group_by or [],
        "window_seconds": None if window is None else seconds(window),
    }
    if kind is Kind.SUPPRESS and not attributes["conditions"]:
        raise usage("this would suppress every alert", "Say which with --when; --when summary is every one.")
    attributes["project_id"] = find_project(session, project)["id"]
    _said(session, "Created", session.client.write("POST", PATH, document(ALERT_RULE, attributes), key=idempotency_key))


@command(
    app,
    "update",
    examples="""
case-cli rules update 5b0e… --disable
case-cli rules update 5b0e… --name 'One case a host' --by host --window none
""",
    prefer="oncall",
)
def update_rule(
    session: Session,
    *,
    rule: RuleId,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT")] = None,
    conditions: When = None,
    group_by: By = None,
    window: Window = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether it applies.")] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Change a rule: what is named is replaced, the rest stays. Its kind and project stay too."""
    changed: dict[str, Any] = {}
    if name is not None:
        changed["name"] = name
    if conditions:
        changed["conditions"] = [condition(c) for c in conditions]
    if group_by:
        changed["group_by"] = group_by
    if window is not None:
        changed["window_seconds"] = seconds(window)
    if enabled is not None:
        changed["enabled"] = enabled
    if not changed:
        raise usage("nothing to change", "Name a field, for example --disable; --help lists them.")
    now = session.client.get(_path(rule))["data"]["attributes"]
    body = document(ALERT_RULE, {**{n: now.get(n) for n in _CHANGEABLE}, **changed})
    _said(
        session,
        "Updated",
        session.client.write("PUT", _path(rule), body, key=idempotency_key, version=now.get("version")),
    )


@command(app, "delete", examples="case-cli rules delete 5b0e… --yes", prefer="oncall")
def delete_rule(
    session: Session,
    *,
    rule: RuleId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Delete a rule. Cases that it joined stay as they are."""
    found = session.client.get(_path(rule))
    if not yes:
        sure(f"Delete the rule {clean(found['data']['attributes'].get('name'))!r}?")
    session.client.write("DELETE", _path(rule), key=idempotency_key)
    _said(session, "Deleted", found)


def _said(session: Session, verb: str, answer: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(answer)
        return
    a = answer["data"]["attributes"]
    session.out.print(Text.assemble((f"{verb} ", "green"), f"rule {clean(a.get('name'))}"))
    session.out.note(f"id {answer['data']['id']}")


def _sheet(session: Session, rule: dict[str, Any]) -> None:
    a = rule["attributes"]
    session.out.print(Text(clean(a.get("name")), style="bold"))
    facts(
        session.out,
        {
            "Id": rule["id"],
            "Project": a.get("project_key"),
            "Kind": a.get("kind"),
            "Enabled": "yes" if a.get("enabled", True) else "no",
            "When": written(a.get("conditions") or []) or "every alert",
            "By": ", ".join(map(clean, a.get("group_by") or [])),
            "Window": span(a.get("window_seconds")),
            "Created": when(a.get("created_at")),
            "Changed": when(a.get("modified_at")),
        },
    )
