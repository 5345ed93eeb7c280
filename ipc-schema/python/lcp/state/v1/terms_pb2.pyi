from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class LcpError(_message.Message):
    __slots__ = ["code", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ["input_bytes", "kind", "params", "profile"]
    INPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    input_bytes: int
    kind: str
    params: bytes
    profile: str
    def __init__(self, kind: _Optional[str] = ..., profile: _Optional[str] = ..., params: _Optional[bytes] = ..., input_bytes: _Optional[int] = ...) -> None: ...

class Terms(_message.Message):
    __slots__ = ["input_hash", "job_id", "params_hash", "price_msat", "protocol_version", "quote_expiry_unix", "task_kind"]
    INPUT_HASH_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_HASH_FIELD_NUMBER: _ClassVar[int]
    PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUOTE_EXPIRY_UNIX_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    input_hash: bytes
    job_id: bytes
    params_hash: bytes
    price_msat: int
    protocol_version: int
    quote_expiry_unix: int
    task_kind: str
    def __init__(self, protocol_version: _Optional[int] = ..., job_id: _Optional[bytes] = ..., price_msat: _Optional[int] = ..., quote_expiry_unix: _Optional[int] = ..., task_kind: _Optional[str] = ..., input_hash: _Optional[bytes] = ..., params_hash: _Optional[bytes] = ...) -> None: ...
