from lcp.bus.v1 import common_pb2 as _common_pb2
from lcp.bus.v1 import effects_pb2 as _effects_pb2
from lcp.bus.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Capability(_message.Message):
    __slots__ = ["profile", "task_kind", "template_params"]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_PARAMS_FIELD_NUMBER: _ClassVar[int]
    profile: str
    task_kind: str
    template_params: bytes
    def __init__(self, task_kind: _Optional[str] = ..., profile: _Optional[str] = ..., template_params: _Optional[bytes] = ...) -> None: ...

class ComputeItem(_message.Message):
    __slots__ = ["attempt", "deadline_unix", "input", "job", "lease", "limits", "now_unix", "params", "profile", "task_kind"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_UNIX_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    NOW_UNIX_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    deadline_unix: int
    input: bytes
    job: _common_pb2.JobKey
    lease: bytes
    limits: _effects_pb2.ComputeLimits
    now_unix: int
    params: bytes
    profile: str
    task_kind: str
    def __init__(self, lease: _Optional[bytes] = ..., job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., task_kind: _Optional[str] = ..., profile: _Optional[str] = ..., input: _Optional[bytes] = ..., params: _Optional[bytes] = ..., limits: _Optional[_Union[_effects_pb2.ComputeLimits, _Mapping]] = ..., deadline_unix: _Optional[int] = ..., now_unix: _Optional[int] = ..., attempt: _Optional[int] = ...) -> None: ...

class ComputeReply(_message.Message):
    __slots__ = ["failure", "lease", "result"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    lease: bytes
    result: ComputeResult
    def __init__(self, lease: _Optional[bytes] = ..., result: _Optional[_Union[ComputeResult, _Mapping]] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class ComputeResult(_message.Message):
    __slots__ = ["content_type", "input_tokens", "output", "output_tokens", "truncated"]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    input_tokens: int
    output: bytes
    output_tokens: int
    truncated: bool
    def __init__(self, output: _Optional[bytes] = ..., content_type: _Optional[str] = ..., truncated: bool = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ...) -> None: ...

class Goodbye(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Hello(_message.Message):
    __slots__ = ["capabilities", "capacity", "concurrency", "dialects", "program"]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    DIALECTS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    capabilities: _containers.RepeatedCompositeFieldContainer[Capability]
    capacity: int
    concurrency: int
    dialects: _containers.RepeatedScalarFieldContainer[str]
    program: str
    def __init__(self, program: _Optional[str] = ..., capacity: _Optional[int] = ..., concurrency: _Optional[int] = ..., dialects: _Optional[_Iterable[str]] = ..., capabilities: _Optional[_Iterable[_Union[Capability, _Mapping]]] = ...) -> None: ...

class ItemFailed(_message.Message):
    __slots__ = ["failure", "lease"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    lease: bytes
    def __init__(self, lease: _Optional[bytes] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class JobItem(_message.Message):
    __slots__ = ["attempt", "events", "job", "lease", "now_unix", "outstanding", "peer", "state", "version"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    NOW_UNIX_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    events: _containers.RepeatedCompositeFieldContainer[_events_pb2.JobEvent]
    job: _common_pb2.JobKey
    lease: bytes
    now_unix: int
    outstanding: _containers.RepeatedScalarFieldContainer[int]
    peer: PeerFacts
    state: bytes
    version: int
    def __init__(self, lease: _Optional[bytes] = ..., job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., version: _Optional[int] = ..., state: _Optional[bytes] = ..., events: _Optional[_Iterable[_Union[_events_pb2.JobEvent, _Mapping]]] = ..., outstanding: _Optional[_Iterable[int]] = ..., peer: _Optional[_Union[PeerFacts, _Mapping]] = ..., now_unix: _Optional[int] = ..., attempt: _Optional[int] = ...) -> None: ...

class JobReply(_message.Message):
    __slots__ = ["answer_by_unix", "effects", "input", "lease", "output", "state", "version", "view", "wake_at_unix"]
    ANSWER_BY_UNIX_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    WAKE_AT_UNIX_FIELD_NUMBER: _ClassVar[int]
    answer_by_unix: int
    effects: _containers.RepeatedCompositeFieldContainer[_effects_pb2.Effect]
    input: bytes
    lease: bytes
    output: bytes
    state: bytes
    version: int
    view: _common_pb2.JobView
    wake_at_unix: int
    def __init__(self, lease: _Optional[bytes] = ..., version: _Optional[int] = ..., state: _Optional[bytes] = ..., effects: _Optional[_Iterable[_Union[_effects_pb2.Effect, _Mapping]]] = ..., wake_at_unix: _Optional[int] = ..., answer_by_unix: _Optional[int] = ..., view: _Optional[_Union[_common_pb2.JobView, _Mapping]] = ..., input: _Optional[bytes] = ..., output: _Optional[bytes] = ...) -> None: ...

class PeerFacts(_message.Message):
    __slots__ = ["connected", "has_channel", "max_payload_bytes", "open_jobs", "requests_last_minute"]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    HAS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    MAX_PAYLOAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    OPEN_JOBS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_LAST_MINUTE_FIELD_NUMBER: _ClassVar[int]
    connected: bool
    has_channel: bool
    max_payload_bytes: int
    open_jobs: int
    requests_last_minute: int
    def __init__(self, connected: bool = ..., has_channel: bool = ..., max_payload_bytes: _Optional[int] = ..., open_jobs: _Optional[int] = ..., requests_last_minute: _Optional[int] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ["lease"]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    lease: bytes
    def __init__(self, lease: _Optional[bytes] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ["failure"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    def __init__(self, failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class Revoke(_message.Message):
    __slots__ = ["lease", "reason"]
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    LEASE_FIELD_NUMBER: _ClassVar[int]
    REASON_CANCELLED: Revoke.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    REASON_LAPSED: Revoke.Reason
    REASON_UNSPECIFIED: Revoke.Reason
    lease: bytes
    reason: Revoke.Reason
    def __init__(self, lease: _Optional[bytes] = ..., reason: _Optional[_Union[Revoke.Reason, str]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ["epoch", "lease_seconds", "max_reply_bytes", "network", "node_id", "nonce", "progress_seconds"]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLY_BYTES_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_SECONDS_FIELD_NUMBER: _ClassVar[int]
    epoch: bytes
    lease_seconds: int
    max_reply_bytes: int
    network: str
    node_id: bytes
    nonce: bytes
    progress_seconds: int
    def __init__(self, epoch: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., lease_seconds: _Optional[int] = ..., progress_seconds: _Optional[int] = ..., max_reply_bytes: _Optional[int] = ..., node_id: _Optional[bytes] = ..., network: _Optional[str] = ...) -> None: ...

class WorkerEvent(_message.Message):
    __slots__ = ["compute", "job", "refused", "revoke", "welcome"]
    COMPUTE_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REVOKE_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    compute: ComputeItem
    job: JobItem
    refused: Refused
    revoke: Revoke
    welcome: Welcome
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., job: _Optional[_Union[JobItem, _Mapping]] = ..., compute: _Optional[_Union[ComputeItem, _Mapping]] = ..., revoke: _Optional[_Union[Revoke, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ...) -> None: ...

class WorkerReply(_message.Message):
    __slots__ = ["compute", "failed", "goodbye", "hello", "job", "nonce", "progress", "worker"]
    COMPUTE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    compute: ComputeReply
    failed: ItemFailed
    goodbye: Goodbye
    hello: Hello
    job: JobReply
    nonce: bytes
    progress: Progress
    worker: bytes
    def __init__(self, worker: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., job: _Optional[_Union[JobReply, _Mapping]] = ..., compute: _Optional[_Union[ComputeReply, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., failed: _Optional[_Union[ItemFailed, _Mapping]] = ..., goodbye: _Optional[_Union[Goodbye, _Mapping]] = ...) -> None: ...
