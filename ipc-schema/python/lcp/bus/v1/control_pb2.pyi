from lcp.bus.v1 import common_pb2 as _common_pb2
from lcp.bus.v1 import query_pb2 as _query_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Accept(_message.Message):
    __slots__ = ["job", "max_price_msat"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.JobKey
    max_price_msat: int
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., max_price_msat: _Optional[int] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ["job"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.JobKey
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ...) -> None: ...

class Connect(_message.Message):
    __slots__ = ["address", "peer"]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    address: str
    peer: bytes
    def __init__(self, peer: _Optional[bytes] = ..., address: _Optional[str] = ...) -> None: ...

class ControlRequest(_message.Message):
    __slots__ = ["accept", "cancel", "connect", "disconnect", "find_job", "get_result", "id", "retry", "submit"]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    CONNECT_FIELD_NUMBER: _ClassVar[int]
    DISCONNECT_FIELD_NUMBER: _ClassVar[int]
    FIND_JOB_FIELD_NUMBER: _ClassVar[int]
    GET_RESULT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_FIELD_NUMBER: _ClassVar[int]
    accept: Accept
    cancel: Cancel
    connect: Connect
    disconnect: Disconnect
    find_job: FindJob
    get_result: GetResult
    id: int
    retry: Retry
    submit: Submit
    def __init__(self, id: _Optional[int] = ..., submit: _Optional[_Union[Submit, _Mapping]] = ..., accept: _Optional[_Union[Accept, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., retry: _Optional[_Union[Retry, _Mapping]] = ..., connect: _Optional[_Union[Connect, _Mapping]] = ..., disconnect: _Optional[_Union[Disconnect, _Mapping]] = ..., get_result: _Optional[_Union[GetResult, _Mapping]] = ..., find_job: _Optional[_Union[FindJob, _Mapping]] = ...) -> None: ...

class ControlResponse(_message.Message):
    __slots__ = ["failure", "id", "job", "peer", "result"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    id: int
    job: _query_pb2.Job
    peer: _query_pb2.Peer
    result: Result
    def __init__(self, id: _Optional[int] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ..., job: _Optional[_Union[_query_pb2.Job, _Mapping]] = ..., peer: _Optional[_Union[_query_pb2.Peer, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ...) -> None: ...

class Disconnect(_message.Message):
    __slots__ = ["peer"]
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: bytes
    def __init__(self, peer: _Optional[bytes] = ...) -> None: ...

class FindJob(_message.Message):
    __slots__ = ["key"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    def __init__(self, key: _Optional[bytes] = ...) -> None: ...

class GetResult(_message.Message):
    __slots__ = ["job"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.JobKey
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ["job", "output", "preimage"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PREIMAGE_FIELD_NUMBER: _ClassVar[int]
    job: _query_pb2.Job
    output: bytes
    preimage: bytes
    def __init__(self, job: _Optional[_Union[_query_pb2.Job, _Mapping]] = ..., output: _Optional[bytes] = ..., preimage: _Optional[bytes] = ...) -> None: ...

class Retry(_message.Message):
    __slots__ = ["job"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.JobKey
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ...) -> None: ...

class Submit(_message.Message):
    __slots__ = ["input", "key", "max_price_msat", "params", "peer", "task_kind"]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    input: bytes
    key: bytes
    max_price_msat: int
    params: bytes
    peer: bytes
    task_kind: str
    def __init__(self, key: _Optional[bytes] = ..., peer: _Optional[bytes] = ..., task_kind: _Optional[str] = ..., input: _Optional[bytes] = ..., params: _Optional[bytes] = ..., max_price_msat: _Optional[int] = ...) -> None: ...
