"""Rows of the Postgres views as gRPC messages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from schemas.proto import cases_pb2 as pb
from schemas.proto import projects_pb2 as projects
from streams.cases.case import Priority, Status

STATUSES: Final = {status: cast("pb.Status", pb.Status.Value(f"STATUS_{status.value}")) for status in Status}
PRIORITIES: Final = {p: cast("pb.Priority", pb.Priority.Value(f"PRIORITY_{p.value}")) for p in Priority}


def case_message(row: Mapping[str, Any]) -> pb.Case:
    """Return a row of view `case`. What is not there stays unset."""
    return pb.Case(
        id=str(row["case_id"]),
        key=row["key"],
        version=row["version"],
        project_id=str(row["project_id"]),
        type_id=str(row["type_id"]),
        title=row["title"],
        description=row["description"],
        status=STATUSES[Status(row["status"])],
        status_name=row["status_name"],
        priority=PRIORITIES[Priority(row["priority"])],
        assignee_id=row["assignee_id"],
        attributes={name: pb.Values(values=values) for name, values in row["attributes"].items()},
        resolved_reason=row["resolved_reason"],
        due_date=row["due_date"],
        created_at=_timestamp(row["created_at"]),
        created_by=row["created_by"],
        modified_at=_timestamp(row["modified_at"]),
        modified_by=row["modified_by"],
        closed_at=_timestamp(row["closed_at"]),
        archived_at=_timestamp(row["archived_at"]),
        alerts=[
            pb.AttachedAlert(alert_id=a["alert_id"], status=a["status"], triggers=a["triggers"]) for a in row["alerts"]
        ],
        comments=row["comments"],
    )


def comment_message(row: Mapping[str, Any]) -> pb.Comment:
    """Return a row of view `timeline_cell`."""
    return pb.Comment(
        id=str(row["cell_id"]),
        author=row["author"],
        message=row["message"],
        created_at=_timestamp(row["created_at"]),
        modified_at=_timestamp(row["modified_at"]),
        deleted_at=_timestamp(row["deleted_at"]),
    )


def activity_message(row: Mapping[str, Any]) -> pb.Activity:
    """Return a row of view `activity`."""
    return pb.Activity(
        case_id=str(row["case_id"]),
        version=row["version"],
        kind=row["kind"],
        actor=row["actor"],
        occurred_at=_timestamp(row["occurred_at"]),
        change_json=orjson.dumps(row["change"]).decode(),
    )


def project_message(row: Mapping[str, Any]) -> projects.Project:
    """Return a row of view `project`."""
    return projects.Project(
        id=str(row["project_id"]),
        key=row["key"],
        name=row["name"],
        team_uuid=row["team_uuid"],
    )


def _timestamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made
