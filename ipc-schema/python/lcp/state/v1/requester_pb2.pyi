from lcp.bus.v1 import effects_pb2 as _effects_pb2
from lcp.state.v1 import terms_pb2 as _terms_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Answer(_message.Message):
    __slots__ = ["error", "result"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    error: _terms_pb2.LcpError
    result: ReceivedResult
    def __init__(self, result: _Optional[_Union[ReceivedResult, _Mapping]] = ..., error: _Optional[_Union[_terms_pb2.LcpError, _Mapping]] = ...) -> None: ...

class Answered(_message.Message):
    __slots__ = ["answer", "receipt"]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    answer: Answer
    receipt: Receipt
    def __init__(self, receipt: _Optional[_Union[Receipt, _Mapping]] = ..., answer: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...

class Asking(_message.Message):
    __slots__ = ["attempts", "ceiling_msat", "deadline_unix", "terms"]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CEILING_MSAT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_UNIX_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    attempts: int
    ceiling_msat: int
    deadline_unix: int
    terms: _terms_pb2.Terms
    def __init__(self, terms: _Optional[_Union[_terms_pb2.Terms, _Mapping]] = ..., ceiling_msat: _Optional[int] = ..., attempts: _Optional[int] = ..., deadline_unix: _Optional[int] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ["not_after_unix", "payment_hash", "payment_request", "terms", "terms_hash"]
    NOT_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    TERMS_HASH_FIELD_NUMBER: _ClassVar[int]
    not_after_unix: int
    payment_hash: bytes
    payment_request: str
    terms: _terms_pb2.Terms
    terms_hash: bytes
    def __init__(self, terms: _Optional[_Union[_terms_pb2.Terms, _Mapping]] = ..., terms_hash: _Optional[bytes] = ..., payment_hash: _Optional[bytes] = ..., payment_request: _Optional[str] = ..., not_after_unix: _Optional[int] = ...) -> None: ...

class PaymentFailed(_message.Message):
    __slots__ = ["offer", "why"]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    offer: Offer
    why: PaymentFailure
    def __init__(self, offer: _Optional[_Union[Offer, _Mapping]] = ..., why: _Optional[_Union[PaymentFailure, _Mapping]] = ...) -> None: ...

class PaymentFailure(_message.Message):
    __slots__ = ["advice", "detail", "lnd", "refused", "too_late", "withdrawn"]
    class TooLate(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class Withdrawn(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    LND_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    TOO_LATE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    advice: str
    detail: str
    lnd: str
    refused: str
    too_late: PaymentFailure.TooLate
    withdrawn: PaymentFailure.Withdrawn
    def __init__(self, withdrawn: _Optional[_Union[PaymentFailure.Withdrawn, _Mapping]] = ..., too_late: _Optional[_Union[PaymentFailure.TooLate, _Mapping]] = ..., refused: _Optional[str] = ..., lnd: _Optional[str] = ..., detail: _Optional[str] = ..., advice: _Optional[str] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ["asked_unix", "deadline_unix", "fee_msat", "offer", "preimage", "provisional", "repeat_unix", "repeats"]
    ASKED_UNIX_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_UNIX_FIELD_NUMBER: _ClassVar[int]
    FEE_MSAT_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    PREIMAGE_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    REPEAT_UNIX_FIELD_NUMBER: _ClassVar[int]
    asked_unix: int
    deadline_unix: int
    fee_msat: int
    offer: Offer
    preimage: bytes
    provisional: _terms_pb2.LcpError
    repeat_unix: int
    repeats: int
    def __init__(self, offer: _Optional[_Union[Offer, _Mapping]] = ..., preimage: _Optional[bytes] = ..., fee_msat: _Optional[int] = ..., deadline_unix: _Optional[int] = ..., repeats: _Optional[int] = ..., asked_unix: _Optional[int] = ..., repeat_unix: _Optional[int] = ..., provisional: _Optional[_Union[_terms_pb2.LcpError, _Mapping]] = ...) -> None: ...

class ReceivedResult(_message.Message):
    __slots__ = ["byte_count", "content_type", "msg_id"]
    BYTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    byte_count: int
    content_type: str
    msg_id: bytes
    def __init__(self, msg_id: _Optional[bytes] = ..., byte_count: _Optional[int] = ..., content_type: _Optional[str] = ...) -> None: ...

class Requester(_message.Message):
    __slots__ = ["awaiting_answer", "ended", "finished", "outstanding", "paying", "quoted", "requesting", "unanswered", "unsubmitted", "withdrawing"]
    class Ended(_message.Message):
        __slots__ = ["answered", "payment_failed", "unpaid", "until_unix"]
        ANSWERED_FIELD_NUMBER: _ClassVar[int]
        PAYMENT_FAILED_FIELD_NUMBER: _ClassVar[int]
        UNPAID_FIELD_NUMBER: _ClassVar[int]
        UNTIL_UNIX_FIELD_NUMBER: _ClassVar[int]
        answered: Answered
        payment_failed: PaymentFailed
        unpaid: Unpaid
        until_unix: int
        def __init__(self, answered: _Optional[_Union[Answered, _Mapping]] = ..., unpaid: _Optional[_Union[Unpaid, _Mapping]] = ..., payment_failed: _Optional[_Union[PaymentFailed, _Mapping]] = ..., until_unix: _Optional[int] = ...) -> None: ...
    class Finished(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class Paying(_message.Message):
        __slots__ = ["ceiling_msat", "offer", "overtaking"]
        CEILING_MSAT_FIELD_NUMBER: _ClassVar[int]
        OFFER_FIELD_NUMBER: _ClassVar[int]
        OVERTAKING_FIELD_NUMBER: _ClassVar[int]
        ceiling_msat: int
        offer: Offer
        overtaking: Answer
        def __init__(self, offer: _Optional[_Union[Offer, _Mapping]] = ..., ceiling_msat: _Optional[int] = ..., overtaking: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...
    class Unanswered(_message.Message):
        __slots__ = ["receipt", "until_unix"]
        RECEIPT_FIELD_NUMBER: _ClassVar[int]
        UNTIL_UNIX_FIELD_NUMBER: _ClassVar[int]
        receipt: Receipt
        until_unix: int
        def __init__(self, receipt: _Optional[_Union[Receipt, _Mapping]] = ..., until_unix: _Optional[int] = ...) -> None: ...
    class Unsubmitted(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class Withdrawing(_message.Message):
        __slots__ = ["offer", "overtaking"]
        OFFER_FIELD_NUMBER: _ClassVar[int]
        OVERTAKING_FIELD_NUMBER: _ClassVar[int]
        offer: Offer
        overtaking: Answer
        def __init__(self, offer: _Optional[_Union[Offer, _Mapping]] = ..., overtaking: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...
    AWAITING_ANSWER_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    PAYING_FIELD_NUMBER: _ClassVar[int]
    QUOTED_FIELD_NUMBER: _ClassVar[int]
    REQUESTING_FIELD_NUMBER: _ClassVar[int]
    UNANSWERED_FIELD_NUMBER: _ClassVar[int]
    UNSUBMITTED_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWING_FIELD_NUMBER: _ClassVar[int]
    awaiting_answer: Receipt
    ended: Requester.Ended
    finished: Requester.Finished
    outstanding: _containers.RepeatedCompositeFieldContainer[RequesterEffect]
    paying: Requester.Paying
    quoted: Offer
    requesting: Asking
    unanswered: Requester.Unanswered
    unsubmitted: Requester.Unsubmitted
    withdrawing: Requester.Withdrawing
    def __init__(self, unsubmitted: _Optional[_Union[Requester.Unsubmitted, _Mapping]] = ..., requesting: _Optional[_Union[Asking, _Mapping]] = ..., quoted: _Optional[_Union[Offer, _Mapping]] = ..., paying: _Optional[_Union[Requester.Paying, _Mapping]] = ..., withdrawing: _Optional[_Union[Requester.Withdrawing, _Mapping]] = ..., awaiting_answer: _Optional[_Union[Receipt, _Mapping]] = ..., unanswered: _Optional[_Union[Requester.Unanswered, _Mapping]] = ..., ended: _Optional[_Union[Requester.Ended, _Mapping]] = ..., finished: _Optional[_Union[Requester.Finished, _Mapping]] = ..., outstanding: _Optional[_Iterable[_Union[RequesterEffect, _Mapping]]] = ...) -> None: ...

class RequesterEffect(_message.Message):
    __slots__ = ["finish", "given", "pay", "send_cancel", "send_quote_request", "withdraw_payment"]
    class Finish(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class Pay(_message.Message):
        __slots__ = ["ceiling_msat", "offer"]
        CEILING_MSAT_FIELD_NUMBER: _ClassVar[int]
        OFFER_FIELD_NUMBER: _ClassVar[int]
        ceiling_msat: int
        offer: Offer
        def __init__(self, offer: _Optional[_Union[Offer, _Mapping]] = ..., ceiling_msat: _Optional[int] = ...) -> None: ...
    class Send(_message.Message):
        __slots__ = ["job_id", "msg_id"]
        JOB_ID_FIELD_NUMBER: _ClassVar[int]
        MSG_ID_FIELD_NUMBER: _ClassVar[int]
        job_id: bytes
        msg_id: bytes
        def __init__(self, job_id: _Optional[bytes] = ..., msg_id: _Optional[bytes] = ...) -> None: ...
    FINISH_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    SEND_CANCEL_FIELD_NUMBER: _ClassVar[int]
    SEND_QUOTE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    finish: RequesterEffect.Finish
    given: _effects_pb2.Effect
    pay: RequesterEffect.Pay
    send_cancel: RequesterEffect.Send
    send_quote_request: RequesterEffect.Send
    withdraw_payment: bytes
    def __init__(self, send_quote_request: _Optional[_Union[RequesterEffect.Send, _Mapping]] = ..., send_cancel: _Optional[_Union[RequesterEffect.Send, _Mapping]] = ..., pay: _Optional[_Union[RequesterEffect.Pay, _Mapping]] = ..., withdraw_payment: _Optional[bytes] = ..., finish: _Optional[_Union[RequesterEffect.Finish, _Mapping]] = ..., given: _Optional[_Union[_effects_pb2.Effect, _Mapping]] = ...) -> None: ...

class Unpaid(_message.Message):
    __slots__ = ["cancelled", "defective_quote", "invalid_task", "no_quote", "quote_expired", "refused", "request_too_large"]
    class Cancelled(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class DefectiveQuote(_message.Message):
        __slots__ = ["defect", "invoice_rule"]
        DEFECT_FIELD_NUMBER: _ClassVar[int]
        INVOICE_RULE_FIELD_NUMBER: _ClassVar[int]
        defect: str
        invoice_rule: str
        def __init__(self, defect: _Optional[str] = ..., invoice_rule: _Optional[str] = ...) -> None: ...
    class InvalidTask(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class NoQuote(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class QuoteExpired(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    class RequestTooLarge(_message.Message):
        __slots__ = []
        def __init__(self) -> None: ...
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    DEFECTIVE_QUOTE_FIELD_NUMBER: _ClassVar[int]
    INVALID_TASK_FIELD_NUMBER: _ClassVar[int]
    NO_QUOTE_FIELD_NUMBER: _ClassVar[int]
    QUOTE_EXPIRED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TOO_LARGE_FIELD_NUMBER: _ClassVar[int]
    cancelled: Unpaid.Cancelled
    defective_quote: Unpaid.DefectiveQuote
    invalid_task: Unpaid.InvalidTask
    no_quote: Unpaid.NoQuote
    quote_expired: Unpaid.QuoteExpired
    refused: _terms_pb2.LcpError
    request_too_large: Unpaid.RequestTooLarge
    def __init__(self, invalid_task: _Optional[_Union[Unpaid.InvalidTask, _Mapping]] = ..., request_too_large: _Optional[_Union[Unpaid.RequestTooLarge, _Mapping]] = ..., no_quote: _Optional[_Union[Unpaid.NoQuote, _Mapping]] = ..., refused: _Optional[_Union[_terms_pb2.LcpError, _Mapping]] = ..., defective_quote: _Optional[_Union[Unpaid.DefectiveQuote, _Mapping]] = ..., quote_expired: _Optional[_Union[Unpaid.QuoteExpired, _Mapping]] = ..., cancelled: _Optional[_Union[Unpaid.Cancelled, _Mapping]] = ...) -> None: ...
