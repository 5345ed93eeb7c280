from lcp.bus.v1 import common_pb2 as _common_pb2
from lcp.bus.v1 import query_pb2 as _query_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FeedEvent(_message.Message):
    __slots__ = ["heartbeat", "job", "payment", "peer", "position", "settlement"]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    heartbeat: Heartbeat
    job: _query_pb2.Job
    payment: PaymentOutcome
    peer: _query_pb2.Peer
    position: FeedPosition
    settlement: Settlement
    def __init__(self, position: _Optional[_Union[FeedPosition, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., job: _Optional[_Union[_query_pb2.Job, _Mapping]] = ..., settlement: _Optional[_Union[Settlement, _Mapping]] = ..., payment: _Optional[_Union[PaymentOutcome, _Mapping]] = ..., peer: _Optional[_Union[_query_pb2.Peer, _Mapping]] = ...) -> None: ...

class FeedMessage(_message.Message):
    __slots__ = ["outbound", "payload", "peer", "position", "type"]
    OUTBOUND_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    outbound: bool
    payload: bytes
    peer: bytes
    position: FeedPosition
    type: int
    def __init__(self, position: _Optional[_Union[FeedPosition, _Mapping]] = ..., peer: _Optional[bytes] = ..., outbound: bool = ..., type: _Optional[int] = ..., payload: _Optional[bytes] = ...) -> None: ...

class FeedPosition(_message.Message):
    __slots__ = ["at_unix_ms", "epoch", "sequence"]
    AT_UNIX_MS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    at_unix_ms: int
    epoch: bytes
    sequence: int
    def __init__(self, epoch: _Optional[bytes] = ..., sequence: _Optional[int] = ..., at_unix_ms: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class PaymentOutcome(_message.Message):
    __slots__ = ["amount_msat", "failure", "fee_msat", "job", "payment_hash", "succeeded"]
    AMOUNT_MSAT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    FEE_MSAT_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    amount_msat: int
    failure: _common_pb2.Failure
    fee_msat: int
    job: _common_pb2.JobKey
    payment_hash: bytes
    succeeded: bool
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., payment_hash: _Optional[bytes] = ..., succeeded: bool = ..., amount_msat: _Optional[int] = ..., fee_msat: _Optional[int] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ...) -> None: ...

class Settlement(_message.Message):
    __slots__ = ["amount_msat", "job", "payment_hash"]
    AMOUNT_MSAT_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    amount_msat: int
    job: _common_pb2.JobKey
    payment_hash: bytes
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., payment_hash: _Optional[bytes] = ..., amount_msat: _Optional[int] = ...) -> None: ...
