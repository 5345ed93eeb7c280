from lcp.bus.v1 import effects_pb2 as _effects_pb2
from lcp.state.v1 import terms_pb2 as _terms_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
WITHDRAWAL_CANCELLED: Withdrawal
WITHDRAWAL_EXPIRED: Withdrawal
WITHDRAWAL_EXPIRED_AND_ASKED: Withdrawal
WITHDRAWAL_TOO_LARGE: Withdrawal
WITHDRAWAL_UNSPECIFIED: Withdrawal

class Draft(_message.Message):
    __slots__ = ["task", "terms", "terms_hash"]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    task: PricedTask
    terms: _terms_pb2.Terms
    terms_hash: bytes
    def __init__(self, terms: _Optional[_Union[_terms_pb2.Terms, _Mapping]] = ..., terms_hash: _Optional[bytes] = ..., task: _Optional[_Union[PricedTask, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ["byte_count", "content_type", "cut"]
    BYTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    byte_count: int
    content_type: str
    cut: bool
    def __init__(self, byte_count: _Optional[int] = ..., cut: bool = ..., content_type: _Optional[str] = ...) -> None: ...

class PricedTask(_message.Message):
    __slots__ = ["max_output_tokens", "price_msat", "profile", "temperature_milli"]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PRICE_MSAT_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_MILLI_FIELD_NUMBER: _ClassVar[int]
    max_output_tokens: int
    price_msat: int
    profile: str
    temperature_milli: int
    def __init__(self, profile: _Optional[str] = ..., price_msat: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., temperature_milli: _Optional[int] = ...) -> None: ...

class Provider(_message.Message):
    __slots__ = ["answered", "awaiting_invoice", "closed", "dropping_invoice", "executing", "finished", "outstanding", "quoted", "unquoted", "withdrawing"]
    class Answered(_message.Message):
        __slots__ = ["error", "quote", "result", "until_unix"]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        QUOTE_FIELD_NUMBER: _ClassVar[int]
        RESULT_FIELD_NUMBER: _ClassVar[int]
        UNTIL_UNIX_FIELD_NUMBER: _ClassVar[int]
        error: _terms_pb2.LcpError
        quote: Quote
        result: Output
        until_unix: int
        def __init__(self, quote: _Optional[_Union[Quote, _Mapping]] = ..., result: _Optional[_Union[Output, _Mapping]] = ..., error: _Optional[_Union[_terms_pb2.LcpError, _Mapping]] = ..., until_unix: _Optional[int] = ...) -> None: ...
    class Closed(_message.Message):
        __slots__ = ["quote", "until_unix", "why"]
        QUOTE_FIELD_NUMBER: _ClassVar[int]
        UNTIL_UNIX_FIELD_NUMBER: _ClassVar[int]
        WHY_FIELD_NUMBER: _ClassVar[int]
        quote: Quote
        until_unix: int
        why: Withdrawal
        def __init__(self, quote: _Optional[_Union[Quote, _Mapping]] = ..., why: _Optional[_Union[Withdrawal, str]] = ..., until_unix: _Optional[int] = ...) -> None: ...
    class Executing(_message.Message):
        __slots__ = ["deadline_unix", "quote"]
        DEADLINE_UNIX_FIELD_NUMBER: _ClassVar[int]
        QUOTE_FIELD_NUMBER: _ClassVar[int]
        deadline_unix: int
        quote: Quote
        def __init__(self, quote: _Optional[_Union[Quote, _Mapping]] = ..., deadline_unix: _Optional[int] = ...) -> None: ...
    class Finished(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class Unquoted(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class Withdrawing(_message.Message):
        __slots__ = ["quote", "why"]
        QUOTE_FIELD_NUMBER: _ClassVar[int]
        WHY_FIELD_NUMBER: _ClassVar[int]
        quote: Quote
        why: Withdrawal
        def __init__(self, quote: _Optional[_Union[Quote, _Mapping]] = ..., why: _Optional[_Union[Withdrawal, str]] = ...) -> None: ...
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    AWAITING_INVOICE_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    DROPPING_INVOICE_FIELD_NUMBER: _ClassVar[int]
    EXECUTING_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    QUOTED_FIELD_NUMBER: _ClassVar[int]
    UNQUOTED_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWING_FIELD_NUMBER: _ClassVar[int]
    answered: Provider.Answered
    awaiting_invoice: Draft
    closed: Provider.Closed
    dropping_invoice: Draft
    executing: Provider.Executing
    finished: Provider.Finished
    outstanding: _containers.RepeatedCompositeFieldContainer[ProviderEffect]
    quoted: Quote
    unquoted: Provider.Unquoted
    withdrawing: Provider.Withdrawing
    def __init__(self, unquoted: _Optional[_Union[Provider.Unquoted, _Mapping]] = ..., awaiting_invoice: _Optional[_Union[Draft, _Mapping]] = ..., dropping_invoice: _Optional[_Union[Draft, _Mapping]] = ..., quoted: _Optional[_Union[Quote, _Mapping]] = ..., withdrawing: _Optional[_Union[Provider.Withdrawing, _Mapping]] = ..., closed: _Optional[_Union[Provider.Closed, _Mapping]] = ..., executing: _Optional[_Union[Provider.Executing, _Mapping]] = ..., answered: _Optional[_Union[Provider.Answered, _Mapping]] = ..., finished: _Optional[_Union[Provider.Finished, _Mapping]] = ..., outstanding: _Optional[_Iterable[_Union[ProviderEffect, _Mapping]]] = ...) -> None: ...

class ProviderEffect(_message.Message):
    __slots__ = ["cancel_compute", "cancel_invoice", "create_invoice", "finish", "given", "send_error", "send_quote", "send_result", "start_compute"]
    class CancelCompute(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class ComputeOrder(_message.Message):
        __slots__ = ["max_result_bytes", "task"]
        MAX_RESULT_BYTES_FIELD_NUMBER: _ClassVar[int]
        TASK_FIELD_NUMBER: _ClassVar[int]
        max_result_bytes: int
        task: PricedTask
        def __init__(self, task: _Optional[_Union[PricedTask, _Mapping]] = ..., max_result_bytes: _Optional[int] = ...) -> None: ...
    class Finish(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class InvoiceOrder(_message.Message):
        __slots__ = ["amount_msat", "description_hash", "expires_unix"]
        AMOUNT_MSAT_FIELD_NUMBER: _ClassVar[int]
        DESCRIPTION_HASH_FIELD_NUMBER: _ClassVar[int]
        EXPIRES_UNIX_FIELD_NUMBER: _ClassVar[int]
        amount_msat: int
        description_hash: bytes
        expires_unix: int
        def __init__(self, amount_msat: _Optional[int] = ..., description_hash: _Optional[bytes] = ..., expires_unix: _Optional[int] = ...) -> None: ...
    class SendError(_message.Message):
        __slots__ = ["again", "error", "msg_id"]
        AGAIN_FIELD_NUMBER: _ClassVar[int]
        ERROR_FIELD_NUMBER: _ClassVar[int]
        MSG_ID_FIELD_NUMBER: _ClassVar[int]
        again: bool
        error: _terms_pb2.LcpError
        msg_id: bytes
        def __init__(self, error: _Optional[_Union[_terms_pb2.LcpError, _Mapping]] = ..., msg_id: _Optional[bytes] = ..., again: bool = ...) -> None: ...
    class SendQuote(_message.Message):
        __slots__ = ["again", "msg_id", "quote"]
        AGAIN_FIELD_NUMBER: _ClassVar[int]
        MSG_ID_FIELD_NUMBER: _ClassVar[int]
        QUOTE_FIELD_NUMBER: _ClassVar[int]
        again: bool
        msg_id: bytes
        quote: Quote
        def __init__(self, quote: _Optional[_Union[Quote, _Mapping]] = ..., msg_id: _Optional[bytes] = ..., again: bool = ...) -> None: ...
    class SendResult(_message.Message):
        __slots__ = ["again", "msg_id", "output"]
        AGAIN_FIELD_NUMBER: _ClassVar[int]
        MSG_ID_FIELD_NUMBER: _ClassVar[int]
        OUTPUT_FIELD_NUMBER: _ClassVar[int]
        again: bool
        msg_id: bytes
        output: Output
        def __init__(self, output: _Optional[_Union[Output, _Mapping]] = ..., msg_id: _Optional[bytes] = ..., again: bool = ...) -> None: ...
    CANCEL_COMPUTE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_INVOICE_FIELD_NUMBER: _ClassVar[int]
    CREATE_INVOICE_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    SEND_ERROR_FIELD_NUMBER: _ClassVar[int]
    SEND_QUOTE_FIELD_NUMBER: _ClassVar[int]
    SEND_RESULT_FIELD_NUMBER: _ClassVar[int]
    START_COMPUTE_FIELD_NUMBER: _ClassVar[int]
    cancel_compute: ProviderEffect.CancelCompute
    cancel_invoice: bytes
    create_invoice: ProviderEffect.InvoiceOrder
    finish: ProviderEffect.Finish
    given: _effects_pb2.Effect
    send_error: ProviderEffect.SendError
    send_quote: ProviderEffect.SendQuote
    send_result: ProviderEffect.SendResult
    start_compute: ProviderEffect.ComputeOrder
    def __init__(self, create_invoice: _Optional[_Union[ProviderEffect.InvoiceOrder, _Mapping]] = ..., cancel_invoice: _Optional[bytes] = ..., send_quote: _Optional[_Union[ProviderEffect.SendQuote, _Mapping]] = ..., send_result: _Optional[_Union[ProviderEffect.SendResult, _Mapping]] = ..., send_error: _Optional[_Union[ProviderEffect.SendError, _Mapping]] = ..., start_compute: _Optional[_Union[ProviderEffect.ComputeOrder, _Mapping]] = ..., cancel_compute: _Optional[_Union[ProviderEffect.CancelCompute, _Mapping]] = ..., finish: _Optional[_Union[ProviderEffect.Finish, _Mapping]] = ..., given: _Optional[_Union[_effects_pb2.Effect, _Mapping]] = ...) -> None: ...

class Quote(_message.Message):
    __slots__ = ["draft", "payment_hash", "payment_request"]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    draft: Draft
    payment_hash: bytes
    payment_request: str
    def __init__(self, draft: _Optional[_Union[Draft, _Mapping]] = ..., payment_hash: _Optional[bytes] = ..., payment_request: _Optional[str] = ...) -> None: ...

class Withdrawal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
