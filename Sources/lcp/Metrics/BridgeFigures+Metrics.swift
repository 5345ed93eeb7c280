import BridgeProtocol
import LightningTypes

extension MetricsText {
    /// What is said while no bridge answers.
    static var absent: String {
        var text = MetricsText()
        text.add("lcp_up", .gauge, "Whether the bridge answers.", 0)
        return text.text
    }

    /// Everything about a bridge.
    init(_ figures: BridgeFigures) {
        self.init()
        add("lcp_up", .gauge, "Whether the bridge answers.", 1)
        addBridge(figures.status)
        addJobs(figures)
        addMoney(figures)
        addWorkers(figures.workers)
        addPeers(figures.peers)
        add(
            "lcp_bridge_events_total",
            .counter,
            "What the bridge counted since its start, by its own name of it.",
            figures.status.counters.sorted { $0.key < $1.key }.map {
                Sample(labels: [("event", $0.key)], value: $0.value)
            }
        )
    }

    private mutating func addBridge(_ status: BusStatus) {
        let labels = [
            ("program", status.program), ("network", status.network),
            ("node", Hex.encode(status.nodeID)),
        ]
        add(
            "lcp_bridge_info",
            .gauge,
            "The bridge and its node.",
            [Sample(labels: labels, value: 1)]
        )
        add(
            "lcp_bridge_start_time_seconds",
            .gauge,
            "When the bridge started, in seconds since 1970.",
            status.startedUnix
        )
        add(
            "lcp_lnd_ready",
            .gauge,
            "Whether the connection to lnd is in order.",
            status.lndState == "ready" ? 1 : 0
        )
    }

    private mutating func addJobs(_ figures: BridgeFigures) {
        let status = figures.status
        add(
            "lcp_jobs_open",
            .gauge,
            "Jobs the bridge follows, also those whose answer may still be asked for again.",
            UInt64(status.openJobs)
        )
        add(
            "lcp_jobs_parked",
            .gauge,
            "Jobs that were set aside after too many failed attempts.",
            UInt64(status.parkedJobs)
        )
        let groups = (figures.open ?? [:]).map { group, count in
            Sample(
                labels: [("role", group.role.label), ("stage", group.stage.label)],
                value: UInt64(count)
            )
        }
        add(
            "lcp_jobs",
            .gauge,
            "Jobs that have not ended, by side and stage; missing above \(BridgeFigures.limit).",
            groups.sorted { "\($0.labels)" < "\($1.labels)" }
        )
        add(
            "lcp_work_items_queued",
            .gauge,
            "Work that waits for a worker.",
            UInt64(status.queuedItems)
        )
    }

    private mutating func addMoney(_ figures: BridgeFigures) {
        let (status, total, day) = (figures.status, figures.total, figures.day)
        add("lcp_earned_msat_total", .counter, "What jobs have earned.", total.earned)
        add("lcp_spent_msat_total", .counter, "What jobs have cost, without fees.", total.spent)
        add("lcp_routing_fees_msat_total", .counter, "What routing has cost.", total.fees)
        add("lcp_earned_24h_msat", .gauge, "What was earned in 24 hours.", day.earned)
        add(
            "lcp_budget_spent_24h_msat",
            .gauge,
            "What counts against the daily budget, fees included.",
            status.spentTodayMsat
        )
        add("lcp_budget_daily_msat", .gauge, "The daily budget.", status.dailyBudgetMsat)
        add(
            "lcp_budget_reserved_msat",
            .gauge,
            "What is reserved for payments under way.",
            status.reservedMsat
        )
    }

    private mutating func addWorkers(_ workers: [BusWorker]) {
        let roles: [BusRole] = [.provider, .requester, .compute]
        func sums(_ value: (BusWorker) -> UInt64) -> [Sample] {
            roles.map { role in
                let sum = workers.filter { $0.role == role }.reduce(UInt64(0)) { $0 + value($1) }
                return Sample(labels: [("role", role.label)], value: sum)
            }
        }
        add("lcp_workers", .gauge, "Workers that are connected.", sums { _ in 1 })
        add(
            "lcp_workers_draining",
            .gauge,
            "Workers that take nothing new.",
            sums { $0.draining ? 1 : 0 }
        )
        add("lcp_worker_capacity", .gauge, "What workers can hold.", sums { UInt64($0.capacity) })
        add("lcp_worker_busy", .gauge, "What workers hold.", sums { UInt64($0.busy) })
        func each(_ value: (BusWorker) -> UInt64) -> [Sample] {
            workers.map {
                Sample(
                    labels: [("role", $0.role.label), ("worker", Words.short($0.id))],
                    value: value($0)
                )
            }
        }
        add(
            "lcp_worker_items_done_total",
            .counter,
            "What a worker has done since it connected.",
            each { $0.done }
        )
        add(
            "lcp_worker_items_failed_total",
            .counter,
            "What a worker has failed at since it connected.",
            each { $0.failed }
        )
    }

    private mutating func addPeers(_ peers: [BusPeer]) {
        let connected = peers.filter(\.connected)
        add("lcp_peers_connected", .gauge, "Connected peers.", UInt64(connected.count))
        add(
            "lcp_peers_selling",
            .gauge,
            "Connected peers that sell something.",
            UInt64(connected.count { !$0.offers.isEmpty })
        )
    }
}
