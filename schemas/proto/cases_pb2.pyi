import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_OPEN: _ClassVar[Status]
    STATUS_IN_PROGRESS: _ClassVar[Status]
    STATUS_CLOSED: _ClassVar[Status]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_NOT_DEFINED: _ClassVar[Priority]
    PRIORITY_P1: _ClassVar[Priority]
    PRIORITY_P2: _ClassVar[Priority]
    PRIORITY_P3: _ClassVar[Priority]
    PRIORITY_P4: _ClassVar[Priority]
    PRIORITY_P5: _ClassVar[Priority]

class SortField(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SORT_FIELD_UNSPECIFIED: _ClassVar[SortField]
    SORT_FIELD_CREATED_AT: _ClassVar[SortField]
    SORT_FIELD_PRIORITY: _ClassVar[SortField]
    SORT_FIELD_STATUS: _ClassVar[SortField]
STATUS_UNSPECIFIED: Status
STATUS_OPEN: Status
STATUS_IN_PROGRESS: Status
STATUS_CLOSED: Status
PRIORITY_UNSPECIFIED: Priority
PRIORITY_NOT_DEFINED: Priority
PRIORITY_P1: Priority
PRIORITY_P2: Priority
PRIORITY_P3: Priority
PRIORITY_P4: Priority
PRIORITY_P5: Priority
SORT_FIELD_UNSPECIFIED: SortField
SORT_FIELD_CREATED_AT: SortField
SORT_FIELD_PRIORITY: SortField
SORT_FIELD_STATUS: SortField

class Values(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class AttachedAlert(_message.Message):
    __slots__ = ("alert_id", "status", "triggers")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    status: str
    triggers: int
    def __init__(self, alert_id: _Optional[str] = ..., status: _Optional[str] = ..., triggers: _Optional[int] = ...) -> None: ...

class Case(_message.Message):
    __slots__ = ("id", "key", "version", "project_id", "type_id", "title", "description", "status", "status_name", "priority", "assignee_id", "attributes", "resolved_reason", "due_date", "created_at", "created_by", "modified_at", "modified_by", "closed_at", "archived_at", "alerts", "comments")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Values
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Values, _Mapping]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_NAME_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_REASON_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_BY_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_AT_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    key: str
    version: int
    project_id: str
    type_id: str
    title: str
    description: str
    status: Status
    status_name: str
    priority: Priority
    assignee_id: str
    attributes: _containers.MessageMap[str, Values]
    resolved_reason: str
    due_date: str
    created_at: _timestamp_pb2.Timestamp
    created_by: str
    modified_at: _timestamp_pb2.Timestamp
    modified_by: str
    closed_at: _timestamp_pb2.Timestamp
    archived_at: _timestamp_pb2.Timestamp
    alerts: _containers.RepeatedCompositeFieldContainer[AttachedAlert]
    comments: int
    def __init__(self, id: _Optional[str] = ..., key: _Optional[str] = ..., version: _Optional[int] = ..., project_id: _Optional[str] = ..., type_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., status: _Optional[_Union[Status, str]] = ..., status_name: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., assignee_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, Values]] = ..., resolved_reason: _Optional[str] = ..., due_date: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_by: _Optional[str] = ..., modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., modified_by: _Optional[str] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., archived_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., alerts: _Optional[_Iterable[_Union[AttachedAlert, _Mapping]]] = ..., comments: _Optional[int] = ...) -> None: ...

class Comment(_message.Message):
    __slots__ = ("id", "author", "message", "created_at", "modified_at", "deleted_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    author: str
    message: str
    created_at: _timestamp_pb2.Timestamp
    modified_at: _timestamp_pb2.Timestamp
    deleted_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Write(_message.Message):
    __slots__ = ("idempotency_key", "expected_version")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    expected_version: int
    def __init__(self, idempotency_key: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class Written(_message.Message):
    __slots__ = ("command_id", "position")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    position: str
    def __init__(self, command_id: _Optional[str] = ..., position: _Optional[str] = ...) -> None: ...

class CaseWritten(_message.Message):
    __slots__ = ("case", "written")
    CASE_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    case: Case
    written: Written
    def __init__(self, case: _Optional[_Union[Case, _Mapping]] = ..., written: _Optional[_Union[Written, _Mapping]] = ...) -> None: ...

class CommentWritten(_message.Message):
    __slots__ = ("comment", "written")
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    comment: Comment
    written: Written
    def __init__(self, comment: _Optional[_Union[Comment, _Mapping]] = ..., written: _Optional[_Union[Written, _Mapping]] = ...) -> None: ...

class CreateCaseRequest(_message.Message):
    __slots__ = ("project_id", "title", "description", "priority", "type_id", "assignee_id", "attributes", "write")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Values
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Values, _Mapping]] = ...) -> None: ...
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TYPE_ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    title: str
    description: str
    priority: Priority
    type_id: str
    assignee_id: str
    attributes: _containers.MessageMap[str, Values]
    write: Write
    def __init__(self, project_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., type_id: _Optional[str] = ..., assignee_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, Values]] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangeTitleRequest(_message.Message):
    __slots__ = ("case", "title", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    title: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., title: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangeDescriptionRequest(_message.Message):
    __slots__ = ("case", "description", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    description: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., description: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangeStatusRequest(_message.Message):
    __slots__ = ("case", "status", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    status: Status
    write: Write
    def __init__(self, case: _Optional[str] = ..., status: _Optional[_Union[Status, str]] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangePriorityRequest(_message.Message):
    __slots__ = ("case", "priority", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    priority: Priority
    write: Write
    def __init__(self, case: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class AssignCaseRequest(_message.Message):
    __slots__ = ("case", "assignee_id", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_ID_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    assignee_id: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., assignee_id: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class UnassignCaseRequest(_message.Message):
    __slots__ = ("case", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangeAttributesRequest(_message.Message):
    __slots__ = ("case", "attributes", "write")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Values
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Values, _Mapping]] = ...) -> None: ...
    CASE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    attributes: _containers.MessageMap[str, Values]
    write: Write
    def __init__(self, case: _Optional[str] = ..., attributes: _Optional[_Mapping[str, Values]] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangeDueDateRequest(_message.Message):
    __slots__ = ("case", "due_date", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    due_date: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., due_date: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ChangeResolvedReasonRequest(_message.Message):
    __slots__ = ("case", "reason", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    reason: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., reason: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class ArchiveCaseRequest(_message.Message):
    __slots__ = ("case", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class UnarchiveCaseRequest(_message.Message):
    __slots__ = ("case", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class AddCommentRequest(_message.Message):
    __slots__ = ("case", "message", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    message: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., message: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class EditCommentRequest(_message.Message):
    __slots__ = ("case", "comment_id", "message", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    comment_id: str
    message: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., comment_id: _Optional[str] = ..., message: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class DeleteCommentRequest(_message.Message):
    __slots__ = ("case", "comment_id", "write")
    CASE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_ID_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    case: str
    comment_id: str
    write: Write
    def __init__(self, case: _Optional[str] = ..., comment_id: _Optional[str] = ..., write: _Optional[_Union[Write, _Mapping]] = ...) -> None: ...

class GetCaseRequest(_message.Message):
    __slots__ = ("case", "as_of", "version")
    CASE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    case: str
    as_of: _timestamp_pb2.Timestamp
    version: int
    def __init__(self, case: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class SearchCasesRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_number", "sort", "ascending", "position", "cursor")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    ASCENDING_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    filter: str
    page_size: int
    page_number: int
    sort: SortField
    ascending: bool
    position: str
    cursor: str
    def __init__(self, filter: _Optional[str] = ..., page_size: _Optional[int] = ..., page_number: _Optional[int] = ..., sort: _Optional[_Union[SortField, str]] = ..., ascending: _Optional[bool] = ..., position: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

class SearchCasesResponse(_message.Message):
    __slots__ = ("cases", "total", "next_cursor")
    CASES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedCompositeFieldContainer[Case]
    total: int
    next_cursor: str
    def __init__(self, cases: _Optional[_Iterable[_Union[Case, _Mapping]]] = ..., total: _Optional[int] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class CountCasesRequest(_message.Message):
    __slots__ = ("filter", "group_bys", "limit", "position")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    GROUP_BYS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    filter: str
    group_bys: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    position: str
    def __init__(self, filter: _Optional[str] = ..., group_bys: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., position: _Optional[str] = ...) -> None: ...

class CountCasesResponse(_message.Message):
    __slots__ = ("total", "groups")
    class Value(_message.Message):
        __slots__ = ("value", "count")
        VALUE_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        value: str
        count: int
        def __init__(self, value: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...
    class Group(_message.Message):
        __slots__ = ("field", "values")
        FIELD_FIELD_NUMBER: _ClassVar[int]
        VALUES_FIELD_NUMBER: _ClassVar[int]
        field: str
        values: _containers.RepeatedCompositeFieldContainer[CountCasesResponse.Value]
        def __init__(self, field: _Optional[str] = ..., values: _Optional[_Iterable[_Union[CountCasesResponse.Value, _Mapping]]] = ...) -> None: ...
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    total: int
    groups: _containers.RepeatedCompositeFieldContainer[CountCasesResponse.Group]
    def __init__(self, total: _Optional[int] = ..., groups: _Optional[_Iterable[_Union[CountCasesResponse.Group, _Mapping]]] = ...) -> None: ...

class ListCommentsRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_number", "ascending")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ASCENDING_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_number: int
    ascending: bool
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_number: _Optional[int] = ..., ascending: _Optional[bool] = ...) -> None: ...

class ListCommentsResponse(_message.Message):
    __slots__ = ("comments",)
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    comments: _containers.RepeatedCompositeFieldContainer[Comment]
    def __init__(self, comments: _Optional[_Iterable[_Union[Comment, _Mapping]]] = ...) -> None: ...

class Activity(_message.Message):
    __slots__ = ("case_id", "version", "kind", "actor", "occurred_at", "change_json")
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_JSON_FIELD_NUMBER: _ClassVar[int]
    case_id: str
    version: int
    kind: str
    actor: str
    occurred_at: _timestamp_pb2.Timestamp
    change_json: str
    def __init__(self, case_id: _Optional[str] = ..., version: _Optional[int] = ..., kind: _Optional[str] = ..., actor: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change_json: _Optional[str] = ...) -> None: ...

class ListActivityRequest(_message.Message):
    __slots__ = ("case", "page_size", "page_number", "ascending")
    CASE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ASCENDING_FIELD_NUMBER: _ClassVar[int]
    case: str
    page_size: int
    page_number: int
    ascending: bool
    def __init__(self, case: _Optional[str] = ..., page_size: _Optional[int] = ..., page_number: _Optional[int] = ..., ascending: _Optional[bool] = ...) -> None: ...

class ListActivityResponse(_message.Message):
    __slots__ = ("activity",)
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    activity: _containers.RepeatedCompositeFieldContainer[Activity]
    def __init__(self, activity: _Optional[_Iterable[_Union[Activity, _Mapping]]] = ...) -> None: ...

class WatchCasesRequest(_message.Message):
    __slots__ = ("cursor",)
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    def __init__(self, cursor: _Optional[str] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("activity", "case_key", "title", "status", "priority", "project_id")
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    CASE_KEY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    activity: Activity
    case_key: str
    title: str
    status: Status
    priority: Priority
    project_id: str
    def __init__(self, activity: _Optional[_Union[Activity, _Mapping]] = ..., case_key: _Optional[str] = ..., title: _Optional[str] = ..., status: _Optional[_Union[Status, str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., project_id: _Optional[str] = ...) -> None: ...

class Ready(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Resync(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class WatchCasesResponse(_message.Message):
    __slots__ = ("cursor", "change", "resync", "ready")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    RESYNC_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    change: Change
    resync: Resync
    ready: Ready
    def __init__(self, cursor: _Optional[str] = ..., change: _Optional[_Union[Change, _Mapping]] = ..., resync: _Optional[_Union[Resync, _Mapping]] = ..., ready: _Optional[_Union[Ready, _Mapping]] = ...) -> None: ...
