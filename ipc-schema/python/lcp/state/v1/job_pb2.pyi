from lcp.bus.v1 import common_pb2 as _common_pb2
from lcp.state.v1 import provider_pb2 as _provider_pb2
from lcp.state.v1 import requester_pb2 as _requester_pb2
from lcp.state.v1 import terms_pb2 as _terms_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Job(_message.Message):
    __slots__ = ["format", "last_effect_id", "provider", "requester", "task", "view"]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    LAST_EFFECT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    format: int
    last_effect_id: int
    provider: _provider_pb2.Provider
    requester: _requester_pb2.Requester
    task: _terms_pb2.Task
    view: _common_pb2.JobView
    def __init__(self, format: _Optional[int] = ..., provider: _Optional[_Union[_provider_pb2.Provider, _Mapping]] = ..., requester: _Optional[_Union[_requester_pb2.Requester, _Mapping]] = ..., task: _Optional[_Union[_terms_pb2.Task, _Mapping]] = ..., last_effect_id: _Optional[int] = ..., view: _Optional[_Union[_common_pb2.JobView, _Mapping]] = ...) -> None: ...
