from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
JOB_STAGE_CANCELLED: JobStage
JOB_STAGE_DONE: JobStage
JOB_STAGE_FAILED: JobStage
JOB_STAGE_PAID_FAILED: JobStage
JOB_STAGE_PAYING: JobStage
JOB_STAGE_QUOTED: JobStage
JOB_STAGE_QUOTING: JobStage
JOB_STAGE_RUNNING: JobStage
JOB_STAGE_UNANSWERED: JobStage
JOB_STAGE_UNSPECIFIED: JobStage
ROLE_COMPUTE: Role
ROLE_PROVIDER: Role
ROLE_REQUESTER: Role
ROLE_UNSPECIFIED: Role

class Failure(_message.Message):
    __slots__ = ["advice", "code", "detail", "retryable"]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    advice: str
    code: str
    detail: str
    retryable: bool
    def __init__(self, code: _Optional[str] = ..., detail: _Optional[str] = ..., advice: _Optional[str] = ..., retryable: bool = ...) -> None: ...

class JobKey(_message.Message):
    __slots__ = ["job_id", "peer", "role"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    peer: bytes
    role: Role
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., peer: _Optional[bytes] = ..., job_id: _Optional[bytes] = ...) -> None: ...

class JobView(_message.Message):
    __slots__ = ["content_type", "ended_unix", "failure", "fee_msat", "paid_unix", "payment_hash", "price_msat", "profile", "quote_expiry_unix", "quoted_unix", "stage", "task_kind", "terms_hash", "truncated"]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    ENDED_UNIX_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    FEE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PAID_UNIX_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    QUOTED_UNIX_FIELD_NUMBER: _ClassVar[int]
    QUOTE_EXPIRY_UNIX_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    ended_unix: int
    failure: Failure
    fee_msat: int
    paid_unix: int
    payment_hash: bytes
    price_msat: int
    profile: str
    quote_expiry_unix: int
    quoted_unix: int
    stage: JobStage
    task_kind: str
    terms_hash: bytes
    truncated: bool
    def __init__(self, stage: _Optional[_Union[JobStage, str]] = ..., task_kind: _Optional[str] = ..., profile: _Optional[str] = ..., price_msat: _Optional[int] = ..., quote_expiry_unix: _Optional[int] = ..., terms_hash: _Optional[bytes] = ..., payment_hash: _Optional[bytes] = ..., fee_msat: _Optional[int] = ..., content_type: _Optional[str] = ..., truncated: bool = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., quoted_unix: _Optional[int] = ..., paid_unix: _Optional[int] = ..., ended_unix: _Optional[int] = ...) -> None: ...

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class JobStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
