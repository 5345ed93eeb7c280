from lcp.bus.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Accepted(_message.Message):
    __slots__ = ["max_price_msat"]
    MAX_PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    max_price_msat: int
    def __init__(self, max_price_msat: _Optional[int] = ...) -> None: ...

class AnsweredByBridge(_message.Message):
    __slots__ = ["code"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: int
    def __init__(self, code: _Optional[int] = ...) -> None: ...

class ClientCancelled(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ComputeCancelled(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ComputeFailed(_message.Message):
    __slots__ = ["failure"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    def __init__(self, failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class ComputeFinished(_message.Message):
    __slots__ = ["content_type", "output", "truncated"]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    content_type: str
    output: bytes
    truncated: bool
    def __init__(self, output: _Optional[bytes] = ..., content_type: _Optional[str] = ..., truncated: bool = ...) -> None: ...

class InvoiceCancelled(_message.Message):
    __slots__ = ["payment_hash"]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    payment_hash: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ...) -> None: ...

class InvoiceCreated(_message.Message):
    __slots__ = ["payment_hash", "payment_request"]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    payment_hash: bytes
    payment_request: str
    def __init__(self, payment_hash: _Optional[bytes] = ..., payment_request: _Optional[str] = ...) -> None: ...

class InvoiceFailed(_message.Message):
    __slots__ = ["failure"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    def __init__(self, failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class InvoiceSettled(_message.Message):
    __slots__ = ["amount_msat", "payment_hash"]
    AMOUNT_MSAT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    amount_msat: int
    payment_hash: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ..., amount_msat: _Optional[int] = ...) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ["accepted", "answered_by_bridge", "client_cancelled", "compute_cancelled", "compute_failed", "compute_finished", "invoice_cancelled", "invoice_created", "invoice_failed", "invoice_settled", "message", "payment_failed", "payment_in_flight", "payment_succeeded", "peer_returned", "resumed", "submitted", "too_large", "woken"]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_BRIDGE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_FAILED_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_FINISHED_FIELD_NUMBER: _ClassVar[int]
    INVOICE_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    INVOICE_CREATED_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FAILED_FIELD_NUMBER: _ClassVar[int]
    INVOICE_SETTLED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FAILED_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    PEER_RETURNED_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_FIELD_NUMBER: _ClassVar[int]
    TOO_LARGE_FIELD_NUMBER: _ClassVar[int]
    WOKEN_FIELD_NUMBER: _ClassVar[int]
    accepted: Accepted
    answered_by_bridge: AnsweredByBridge
    client_cancelled: ClientCancelled
    compute_cancelled: ComputeCancelled
    compute_failed: ComputeFailed
    compute_finished: ComputeFinished
    invoice_cancelled: InvoiceCancelled
    invoice_created: InvoiceCreated
    invoice_failed: InvoiceFailed
    invoice_settled: InvoiceSettled
    message: PeerMessage
    payment_failed: PaymentFailed
    payment_in_flight: PaymentInFlight
    payment_succeeded: PaymentSucceeded
    peer_returned: PeerReturned
    resumed: Resumed
    submitted: Submitted
    too_large: TooLarge
    woken: Woken
    def __init__(self, message: _Optional[_Union[PeerMessage, _Mapping]] = ..., submitted: _Optional[_Union[Submitted, _Mapping]] = ..., accepted: _Optional[_Union[Accepted, _Mapping]] = ..., client_cancelled: _Optional[_Union[ClientCancelled, _Mapping]] = ..., invoice_created: _Optional[_Union[InvoiceCreated, _Mapping]] = ..., invoice_failed: _Optional[_Union[InvoiceFailed, _Mapping]] = ..., invoice_settled: _Optional[_Union[InvoiceSettled, _Mapping]] = ..., invoice_cancelled: _Optional[_Union[InvoiceCancelled, _Mapping]] = ..., payment_in_flight: _Optional[_Union[PaymentInFlight, _Mapping]] = ..., payment_succeeded: _Optional[_Union[PaymentSucceeded, _Mapping]] = ..., payment_failed: _Optional[_Union[PaymentFailed, _Mapping]] = ..., compute_finished: _Optional[_Union[ComputeFinished, _Mapping]] = ..., compute_failed: _Optional[_Union[ComputeFailed, _Mapping]] = ..., compute_cancelled: _Optional[_Union[ComputeCancelled, _Mapping]] = ..., too_large: _Optional[_Union[TooLarge, _Mapping]] = ..., answered_by_bridge: _Optional[_Union[AnsweredByBridge, _Mapping]] = ..., peer_returned: _Optional[_Union[PeerReturned, _Mapping]] = ..., resumed: _Optional[_Union[Resumed, _Mapping]] = ..., woken: _Optional[_Union[Woken, _Mapping]] = ...) -> None: ...

class PaymentFailed(_message.Message):
    __slots__ = ["cause", "failure", "payment_hash"]
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_LND: PaymentFailed.Cause
    CAUSE_REFUSED: PaymentFailed.Cause
    CAUSE_TOO_LATE: PaymentFailed.Cause
    CAUSE_UNSPECIFIED: PaymentFailed.Cause
    CAUSE_WITHDRAWN: PaymentFailed.Cause
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    cause: PaymentFailed.Cause
    failure: _common_pb2.Failure
    payment_hash: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ..., cause: _Optional[_Union[PaymentFailed.Cause, str]] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class PaymentInFlight(_message.Message):
    __slots__ = ["payment_hash"]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    payment_hash: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ...) -> None: ...

class PaymentSucceeded(_message.Message):
    __slots__ = ["fee_msat", "payment_hash", "preimage"]
    FEE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PREIMAGE_FIELD_NUMBER: _ClassVar[int]
    fee_msat: int
    payment_hash: bytes
    preimage: bytes
    def __init__(self, payment_hash: _Optional[bytes] = ..., preimage: _Optional[bytes] = ..., fee_msat: _Optional[int] = ...) -> None: ...

class PeerMessage(_message.Message):
    __slots__ = ["job_id", "msg_id", "payload", "protocol_version", "type"]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    job_id: bytes
    msg_id: bytes
    payload: bytes
    protocol_version: int
    type: int
    def __init__(self, type: _Optional[int] = ..., protocol_version: _Optional[int] = ..., job_id: _Optional[bytes] = ..., msg_id: _Optional[bytes] = ..., payload: _Optional[bytes] = ...) -> None: ...

class PeerReturned(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Resumed(_message.Message):
    __slots__ = ["downtime_seconds"]
    DOWNTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    downtime_seconds: int
    def __init__(self, downtime_seconds: _Optional[int] = ...) -> None: ...

class Submitted(_message.Message):
    __slots__ = ["input", "max_price_msat", "params", "task_kind"]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    input: bytes
    max_price_msat: int
    params: bytes
    task_kind: str
    def __init__(self, task_kind: _Optional[str] = ..., input: _Optional[bytes] = ..., params: _Optional[bytes] = ..., max_price_msat: _Optional[int] = ...) -> None: ...

class TooLarge(_message.Message):
    __slots__ = ["effect"]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    effect: int
    def __init__(self, effect: _Optional[int] = ...) -> None: ...

class Woken(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...
