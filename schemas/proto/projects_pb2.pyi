from schemas.proto import cases_pb2 as _cases_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Project(_message.Message):
    __slots__ = ("id", "key", "name", "team_uuid")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEAM_UUID_FIELD_NUMBER: _ClassVar[int]
    id: str
    key: str
    name: str
    team_uuid: str
    def __init__(self, id: _Optional[str] = ..., key: _Optional[str] = ..., name: _Optional[str] = ..., team_uuid: _Optional[str] = ...) -> None: ...

class ProjectWritten(_message.Message):
    __slots__ = ("project", "written")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    project: Project
    written: _cases_pb2.Written
    def __init__(self, project: _Optional[_Union[Project, _Mapping]] = ..., written: _Optional[_Union[_cases_pb2.Written, _Mapping]] = ...) -> None: ...

class CreateProjectRequest(_message.Message):
    __slots__ = ("key", "name", "team_uuid", "write")
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEAM_UUID_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    key: str
    name: str
    team_uuid: str
    write: _cases_pb2.Write
    def __init__(self, key: _Optional[str] = ..., name: _Optional[str] = ..., team_uuid: _Optional[str] = ..., write: _Optional[_Union[_cases_pb2.Write, _Mapping]] = ...) -> None: ...

class UpdateProjectRequest(_message.Message):
    __slots__ = ("project_id", "name", "team_uuid", "write")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEAM_UUID_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    name: str
    team_uuid: str
    write: _cases_pb2.Write
    def __init__(self, project_id: _Optional[str] = ..., name: _Optional[str] = ..., team_uuid: _Optional[str] = ..., write: _Optional[_Union[_cases_pb2.Write, _Mapping]] = ...) -> None: ...

class DeleteProjectRequest(_message.Message):
    __slots__ = ("project_id", "write")
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    write: _cases_pb2.Write
    def __init__(self, project_id: _Optional[str] = ..., write: _Optional[_Union[_cases_pb2.Write, _Mapping]] = ...) -> None: ...

class GetProjectRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class ListProjectsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListProjectsResponse(_message.Message):
    __slots__ = ("projects",)
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[Project]
    def __init__(self, projects: _Optional[_Iterable[_Union[Project, _Mapping]]] = ...) -> None: ...
