from lcp.bus.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetJob(_message.Message):
    __slots__ = ["job"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _common_pb2.JobKey
    def __init__(self, job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ...) -> None: ...

class GetLedger(_message.Message):
    __slots__ = ["limit", "page", "since_unix"]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    SINCE_UNIX_FIELD_NUMBER: _ClassVar[int]
    limit: int
    page: bytes
    since_unix: int
    def __init__(self, since_unix: _Optional[int] = ..., limit: _Optional[int] = ..., page: _Optional[bytes] = ...) -> None: ...

class GetStatus(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Job(_message.Message):
    __slots__ = ["changed_unix", "created_unix", "finished_unix", "input_bytes", "key", "output_bytes", "parked", "version", "view"]
    CHANGED_UNIX_FIELD_NUMBER: _ClassVar[int]
    CREATED_UNIX_FIELD_NUMBER: _ClassVar[int]
    FINISHED_UNIX_FIELD_NUMBER: _ClassVar[int]
    INPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    changed_unix: int
    created_unix: int
    finished_unix: int
    input_bytes: int
    key: _common_pb2.JobKey
    output_bytes: int
    parked: bool
    version: int
    view: _common_pb2.JobView
    def __init__(self, key: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., version: _Optional[int] = ..., view: _Optional[_Union[_common_pb2.JobView, _Mapping]] = ..., input_bytes: _Optional[int] = ..., output_bytes: _Optional[int] = ..., created_unix: _Optional[int] = ..., changed_unix: _Optional[int] = ..., finished_unix: _Optional[int] = ..., parked: bool = ...) -> None: ...

class JobPage(_message.Message):
    __slots__ = ["jobs", "next"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    next: bytes
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., next: _Optional[bytes] = ...) -> None: ...

class LedgerEntry(_message.Message):
    __slots__ = ["at_unix", "earned_msat", "fee_msat", "input_tokens", "job", "output_tokens", "payment_hash", "profile", "spent_msat", "truncated"]
    AT_UNIX_FIELD_NUMBER: _ClassVar[int]
    EARNED_MSAT_FIELD_NUMBER: _ClassVar[int]
    FEE_MSAT_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SPENT_MSAT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    at_unix: int
    earned_msat: int
    fee_msat: int
    input_tokens: int
    job: _common_pb2.JobKey
    output_tokens: int
    payment_hash: bytes
    profile: str
    spent_msat: int
    truncated: bool
    def __init__(self, at_unix: _Optional[int] = ..., job: _Optional[_Union[_common_pb2.JobKey, _Mapping]] = ..., profile: _Optional[str] = ..., earned_msat: _Optional[int] = ..., spent_msat: _Optional[int] = ..., fee_msat: _Optional[int] = ..., payment_hash: _Optional[bytes] = ..., truncated: bool = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ...) -> None: ...

class LedgerPage(_message.Message):
    __slots__ = ["earned_msat", "entries", "fees_msat", "next", "spent_msat"]
    EARNED_MSAT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    FEES_MSAT_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    SPENT_MSAT_FIELD_NUMBER: _ClassVar[int]
    earned_msat: int
    entries: _containers.RepeatedCompositeFieldContainer[LedgerEntry]
    fees_msat: int
    next: bytes
    spent_msat: int
    def __init__(self, entries: _Optional[_Iterable[_Union[LedgerEntry, _Mapping]]] = ..., next: _Optional[bytes] = ..., earned_msat: _Optional[int] = ..., spent_msat: _Optional[int] = ..., fees_msat: _Optional[int] = ...) -> None: ...

class ListJobs(_message.Message):
    __slots__ = ["created_after_unix", "limit", "only_parked", "page", "peer", "role", "stages"]
    CREATED_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ONLY_PARKED_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    created_after_unix: int
    limit: int
    only_parked: bool
    page: bytes
    peer: bytes
    role: _common_pb2.Role
    stages: _containers.RepeatedScalarFieldContainer[_common_pb2.JobStage]
    def __init__(self, role: _Optional[_Union[_common_pb2.Role, str]] = ..., peer: _Optional[bytes] = ..., stages: _Optional[_Iterable[_Union[_common_pb2.JobStage, str]]] = ..., only_parked: bool = ..., created_after_unix: _Optional[int] = ..., limit: _Optional[int] = ..., page: _Optional[bytes] = ...) -> None: ...

class ListPeers(_message.Message):
    __slots__ = ["page"]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    page: bytes
    def __init__(self, page: _Optional[bytes] = ...) -> None: ...

class ListWorkers(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Offer(_message.Message):
    __slots__ = ["profile", "task_kind"]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TASK_KIND_FIELD_NUMBER: _ClassVar[int]
    profile: str
    task_kind: str
    def __init__(self, task_kind: _Optional[str] = ..., profile: _Optional[str] = ...) -> None: ...

class Peer(_message.Message):
    __slots__ = ["address", "connected", "has_channel", "id", "manifest_unix", "max_payload_bytes", "offers", "protocol_version"]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    HAS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_UNIX_FIELD_NUMBER: _ClassVar[int]
    MAX_PAYLOAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    address: str
    connected: bool
    has_channel: bool
    id: bytes
    manifest_unix: int
    max_payload_bytes: int
    offers: _containers.RepeatedCompositeFieldContainer[Offer]
    protocol_version: int
    def __init__(self, id: _Optional[bytes] = ..., address: _Optional[str] = ..., connected: bool = ..., has_channel: bool = ..., protocol_version: _Optional[int] = ..., max_payload_bytes: _Optional[int] = ..., offers: _Optional[_Iterable[_Union[Offer, _Mapping]]] = ..., manifest_unix: _Optional[int] = ...) -> None: ...

class PeerList(_message.Message):
    __slots__ = ["next", "peers"]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    next: bytes
    peers: _containers.RepeatedCompositeFieldContainer[Peer]
    def __init__(self, peers: _Optional[_Iterable[_Union[Peer, _Mapping]]] = ..., next: _Optional[bytes] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ["get_job", "get_ledger", "get_status", "id", "list_jobs", "list_peers", "list_workers", "unwatch", "watch_jobs"]
    GET_JOB_FIELD_NUMBER: _ClassVar[int]
    GET_LEDGER_FIELD_NUMBER: _ClassVar[int]
    GET_STATUS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LIST_JOBS_FIELD_NUMBER: _ClassVar[int]
    LIST_PEERS_FIELD_NUMBER: _ClassVar[int]
    LIST_WORKERS_FIELD_NUMBER: _ClassVar[int]
    UNWATCH_FIELD_NUMBER: _ClassVar[int]
    WATCH_JOBS_FIELD_NUMBER: _ClassVar[int]
    get_job: GetJob
    get_ledger: GetLedger
    get_status: GetStatus
    id: int
    list_jobs: ListJobs
    list_peers: ListPeers
    list_workers: ListWorkers
    unwatch: Unwatch
    watch_jobs: WatchJobs
    def __init__(self, id: _Optional[int] = ..., get_job: _Optional[_Union[GetJob, _Mapping]] = ..., list_jobs: _Optional[_Union[ListJobs, _Mapping]] = ..., watch_jobs: _Optional[_Union[WatchJobs, _Mapping]] = ..., unwatch: _Optional[_Union[Unwatch, _Mapping]] = ..., list_peers: _Optional[_Union[ListPeers, _Mapping]] = ..., list_workers: _Optional[_Union[ListWorkers, _Mapping]] = ..., get_ledger: _Optional[_Union[GetLedger, _Mapping]] = ..., get_status: _Optional[_Union[GetStatus, _Mapping]] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ["failure", "id", "job", "jobs", "ledger", "peers", "status", "workers"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    failure: _common_pb2.Failure
    id: int
    job: Job
    jobs: JobPage
    ledger: LedgerPage
    peers: PeerList
    status: Status
    workers: WorkerList
    def __init__(self, id: _Optional[int] = ..., failure: _Optional[_Union[_common_pb2.Failure, _Mapping]] = ..., job: _Optional[_Union[Job, _Mapping]] = ..., jobs: _Optional[_Union[JobPage, _Mapping]] = ..., peers: _Optional[_Union[PeerList, _Mapping]] = ..., workers: _Optional[_Union[WorkerList, _Mapping]] = ..., ledger: _Optional[_Union[LedgerPage, _Mapping]] = ..., status: _Optional[_Union[Status, _Mapping]] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ["counters", "daily_budget_msat", "epoch", "fee_floor_msat", "fee_share_ppm", "lnd_detail", "lnd_state", "network", "node_id", "open_jobs", "parked_jobs", "program", "queued_items", "reserved_msat", "spent_today_msat", "started_unix"]
    class CountersEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    DAILY_BUDGET_MSAT_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FEE_FLOOR_MSAT_FIELD_NUMBER: _ClassVar[int]
    FEE_SHARE_PPM_FIELD_NUMBER: _ClassVar[int]
    LND_DETAIL_FIELD_NUMBER: _ClassVar[int]
    LND_STATE_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_JOBS_FIELD_NUMBER: _ClassVar[int]
    PARKED_JOBS_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    QUEUED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_MSAT_FIELD_NUMBER: _ClassVar[int]
    SPENT_TODAY_MSAT_FIELD_NUMBER: _ClassVar[int]
    STARTED_UNIX_FIELD_NUMBER: _ClassVar[int]
    counters: _containers.ScalarMap[str, int]
    daily_budget_msat: int
    epoch: bytes
    fee_floor_msat: int
    fee_share_ppm: int
    lnd_detail: str
    lnd_state: str
    network: str
    node_id: bytes
    open_jobs: int
    parked_jobs: int
    program: str
    queued_items: int
    reserved_msat: int
    spent_today_msat: int
    started_unix: int
    def __init__(self, program: _Optional[str] = ..., epoch: _Optional[bytes] = ..., started_unix: _Optional[int] = ..., lnd_state: _Optional[str] = ..., lnd_detail: _Optional[str] = ..., node_id: _Optional[bytes] = ..., network: _Optional[str] = ..., open_jobs: _Optional[int] = ..., parked_jobs: _Optional[int] = ..., queued_items: _Optional[int] = ..., spent_today_msat: _Optional[int] = ..., daily_budget_msat: _Optional[int] = ..., reserved_msat: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., fee_floor_msat: _Optional[int] = ..., fee_share_ppm: _Optional[int] = ...) -> None: ...

class Unwatch(_message.Message):
    __slots__ = ["watch"]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    watch: int
    def __init__(self, watch: _Optional[int] = ...) -> None: ...

class WatchJobs(_message.Message):
    __slots__ = ["jobs"]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_common_pb2.JobKey]
    def __init__(self, jobs: _Optional[_Iterable[_Union[_common_pb2.JobKey, _Mapping]]] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ["busy", "capacity", "done", "draining", "failed", "id", "program", "role", "since_unix"]
    BUSY_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SINCE_UNIX_FIELD_NUMBER: _ClassVar[int]
    busy: int
    capacity: int
    done: int
    draining: bool
    failed: int
    id: bytes
    program: str
    role: _common_pb2.Role
    since_unix: int
    def __init__(self, id: _Optional[bytes] = ..., role: _Optional[_Union[_common_pb2.Role, str]] = ..., program: _Optional[str] = ..., capacity: _Optional[int] = ..., busy: _Optional[int] = ..., done: _Optional[int] = ..., failed: _Optional[int] = ..., draining: bool = ..., since_unix: _Optional[int] = ...) -> None: ...

class WorkerList(_message.Message):
    __slots__ = ["workers"]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    def __init__(self, workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ...) -> None: ...
