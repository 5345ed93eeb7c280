from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CancelCompute(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class CancelInvoice(_message.Message):
    __slots__ = ["payment_hash"]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    payment_hash: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ...) -> None: ...

class ComputeLimits(_message.Message):
    __slots__ = ["max_output_tokens", "max_result_bytes", "temperature_milli"]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULT_BYTES_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_MILLI_FIELD_NUMBER: _ClassVar[int]
    max_output_tokens: int
    max_result_bytes: int
    temperature_milli: int
    def __init__(self, max_result_bytes: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., temperature_milli: _Optional[int] = ...) -> None: ...

class CreateInvoice(_message.Message):
    __slots__ = ["amount_msat", "description_hash", "expiry_unix", "profile"]
    AMOUNT_MSAT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_HASH_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_UNIX_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    amount_msat: int
    description_hash: bytes
    expiry_unix: int
    profile: str
    def __init__(self, amount_msat: _Optional[int] = ..., description_hash: _Optional[bytes] = ..., expiry_unix: _Optional[int] = ..., profile: _Optional[str] = ...) -> None: ...

class Effect(_message.Message):
    __slots__ = ["cancel_compute", "cancel_invoice", "create_invoice", "finish", "id", "pay", "send", "start_compute", "withdraw_payment"]
    CANCEL_COMPUTE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_INVOICE_FIELD_NUMBER: _ClassVar[int]
    CREATE_INVOICE_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    START_COMPUTE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    cancel_compute: CancelCompute
    cancel_invoice: CancelInvoice
    create_invoice: CreateInvoice
    finish: Finish
    id: int
    pay: Pay
    send: SendMessage
    start_compute: StartCompute
    withdraw_payment: WithdrawPayment
    def __init__(self, id: _Optional[int] = ..., send: _Optional[_Union[SendMessage, _Mapping]] = ..., create_invoice: _Optional[_Union[CreateInvoice, _Mapping]] = ..., cancel_invoice: _Optional[_Union[CancelInvoice, _Mapping]] = ..., pay: _Optional[_Union[Pay, _Mapping]] = ..., withdraw_payment: _Optional[_Union[WithdrawPayment, _Mapping]] = ..., start_compute: _Optional[_Union[StartCompute, _Mapping]] = ..., cancel_compute: _Optional[_Union[CancelCompute, _Mapping]] = ..., finish: _Optional[_Union[Finish, _Mapping]] = ...) -> None: ...

class Finish(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Pay(_message.Message):
    __slots__ = ["amount_msat", "description_hash", "expiry_unix", "not_after_unix", "payment_hash", "payment_request", "profile"]
    AMOUNT_MSAT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_HASH_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_UNIX_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    amount_msat: int
    description_hash: bytes
    expiry_unix: int
    not_after_unix: int
    payment_hash: bytes
    payment_request: str
    profile: str
    def __init__(self, payment_request: _Optional[str] = ..., amount_msat: _Optional[int] = ..., payment_hash: _Optional[bytes] = ..., description_hash: _Optional[bytes] = ..., expiry_unix: _Optional[int] = ..., not_after_unix: _Optional[int] = ..., profile: _Optional[str] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ["bytes", "stored_input", "stored_output", "type"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    STORED_INPUT_FIELD_NUMBER: _ClassVar[int]
    STORED_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    bytes: bytes
    stored_input: int
    stored_output: int
    type: int
    def __init__(self, type: _Optional[int] = ..., bytes: _Optional[bytes] = ..., stored_input: _Optional[int] = ..., stored_output: _Optional[int] = ...) -> None: ...

class SendMessage(_message.Message):
    __slots__ = ["again", "expiry_unix", "give_up_unix", "job_id", "msg_id", "protocol_version", "records", "type"]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_UNIX_FIELD_NUMBER: _ClassVar[int]
    GIVE_UP_UNIX_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    again: bool
    expiry_unix: int
    give_up_unix: int
    job_id: bytes
    msg_id: bytes
    protocol_version: int
    records: _containers.RepeatedCompositeFieldContainer[Record]
    type: int
    def __init__(self, type: _Optional[int] = ..., protocol_version: _Optional[int] = ..., job_id: _Optional[bytes] = ..., msg_id: _Optional[bytes] = ..., records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ..., expiry_unix: _Optional[int] = ..., again: bool = ..., give_up_unix: _Optional[int] = ...) -> None: ...

class StartCompute(_message.Message):
    __slots__ = ["deadline_unix", "limits", "params", "profile", "task_kind"]
    DEADLINE_UNIX_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    deadline_unix: int
    limits: ComputeLimits
    params: bytes
    profile: str
    task_kind: str
    def __init__(self, task_kind: _Optional[str] = ..., profile: _Optional[str] = ..., params: _Optional[bytes] = ..., limits: _Optional[_Union[ComputeLimits, _Mapping]] = ..., deadline_unix: _Optional[int] = ...) -> None: ...

class WithdrawPayment(_message.Message):
    __slots__ = ["payment_hash"]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    payment_hash: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ...) -> None: ...
