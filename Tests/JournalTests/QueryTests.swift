import Journal
import LightningTypes
import Testing

@Suite struct QueryTests {
    let folder: TemporaryFolder
    let journal: Journal

    init() throws {
        folder = try TemporaryFolder()
        journal = try folder.open()
    }

    private func add(_ number: Int, _ change: (inout Step) -> Void = { _ in }) async throws {
        var step = Step(
            job: Sample.job(number),
            version: 0,
            at: Sample.time(UInt64(number)),
            state: []
        )
        change(&step)
        try await journal.commit(step)
    }

    @Test func `several jobs are read in the order asked for, with gaps`() async throws {
        for number in 1...3 { try await add(number) { $0.state = [UInt8(number)] } }
        let found = try await journal.jobs([3, 9, 1].map { Sample.job($0) })
        #expect(found.map { $0?.state } == [[3], nil, [1]])
        #expect(found[0] == (try await journal.job(Sample.job(3))))
    }

    @Test func `a restart finds every open job page by page, with what is to do`() async throws {
        for number in 1...10 {
            try await add(number) { step in
                step.effects = [Sample.effect(UInt64(number))]
                if number % 3 == 0 {
                    step.effects = []
                    step.facts = [.finished]
                }
            }
        }
        try await journal.close()
        let again = try folder.open()
        var found: [OpenJob] = []
        while true {
            let page = try await again.openJobs(after: found.last?.summary.place, limit: 3)
            found += page
            if page.count < 3 { break }
        }
        let expected = [1, 2, 4, 5, 7, 8, 10]
        #expect(found.map(\.summary.key) == expected.map { Sample.job($0) })
        #expect(
            found.map { $0.outstanding.map(\.effect) }
                == expected.map { [Sample.effect(UInt64($0))] }
        )
    }

    @Test func `unresolved payments and open invoices come page by page`() async throws {
        for number in 0..<7 {
            try await journal.add(
                Sample.job(number),
                facts: [.paymentIntended(Sample.intent(number), check: Sample.noLimit)]
            )
            try await journal.add(
                Sample.job(100 + number, role: .provider),
                facts: [.invoiceOpened(Sample.invoice(100 + number))]
            )
        }
        var payments: [PaymentHash] = []
        var invoices: [PaymentHash] = []
        for _ in 0..<3 {
            payments += try await journal.unresolvedPayments(after: payments.last, limit: 3)
                .map(\.intent.hash)
            invoices += try await journal.openInvoices(after: invoices.last, limit: 3)
                .map(\.terms.hash)
        }
        #expect(payments.count == 7 && Set(payments) == Set((0..<7).map { Sample.hash($0) }))
        #expect(
            invoices.count == 7 && Set(invoices) == Set((100..<107).map { Sample.hash($0) })
        )
    }

    @Test func `what is due comes longest overdue first, and not before its time`() async throws {
        try await add(1) { $0.wakeAt = Sample.time(50) }
        try await add(2) { $0.wakeAt = Sample.time(40) }
        try await add(3) { $0.wakeAt = Sample.time(61) }
        try await add(4) { $0.answerBy = Sample.time(60) }
        try await add(5) {
            $0.answerBy = Sample.time(60)
            $0.facts = [.finished]
        }
        let due = try await journal.due(at: Sample.time(60))
        #expect(due.wake == [Sample.job(2), Sample.job(1)])
        #expect(due.answer == [Sample.job(4)])
    }

    @Test func `jobs are listed newest first, by filter and page`() async throws {
        for number in 1...9 {
            try await add(number) { $0.notice = Step.Notice(stage: UInt8(number % 3), body: []) }
        }
        try await journal.add(Sample.job(50, role: .provider, peer: 2))
        func numbers(_ filter: JobFilter) async throws -> [JobKey] {
            try await journal.jobs(filter).map(\.key)
        }
        #expect(
            try await numbers(JobFilter(stages: [1, 2]))
                == [8, 7, 5, 4, 2, 1].map { Sample.job($0) }
        )
        #expect(
            try await numbers(JobFilter(role: .provider))
                == [Sample.job(50, role: .provider, peer: 2)]
        )
        #expect(
            try await numbers(JobFilter(peer: Sample.peer(1), createdSince: Sample.time(8)))
                == [9, 8].map { Sample.job($0) }
        )
        let first = try await journal.jobs(limit: 4)
        let second = try await journal.jobs(before: first.last?.place, limit: 4)
        #expect(second.map(\.key) == [6, 5, 4, 3].map { Sample.job($0) })
    }

    @Test func `manifests and settings survive a restart`() async throws {
        let manifest = PeerManifest(
            peer: Sample.peer(1),
            receivedAt: Sample.time(1),
            answeredAt: nil,
            bytes: [1, 2]
        )
        try await journal.keep(manifest)
        var newer = manifest
        newer.bytes = [3]
        newer.answeredAt = Sample.time(2)
        try await journal.keep(newer)
        try await journal.keep([7, 8], asSetting: "bridge.tasks")
        try await journal.keep([9], asSetting: "bridge.epoch")
        try await journal.keep(nil, asSetting: "bridge.epoch")
        try await journal.close()
        let again = try folder.open()
        #expect(try await again.manifests() == [newer])
        #expect(try await again.setting("bridge.tasks") == [7, 8])
        #expect(try await again.setting("bridge.epoch") == nil)
    }

    @Test func `the ledger is paged in the order it was written`() async throws {
        for number in 0..<5 {
            try await journal.add(
                Sample.job(number, role: .provider),
                facts: [
                    .invoiceOpened(Sample.invoice(number)),
                    .invoiceSettled(Sample.hash(number), paid: MilliSatoshi(msat: 7)),
                ]
            )
        }
        let first = try await journal.ledger(since: Sample.time(0), limit: 3)
        let second = try await journal.ledger(
            since: Sample.time(0),
            after: first.last?.id,
            limit: 3
        )
        #expect((first + second).map(\.hash) == (0..<5).map { Sample.hash($0) })
        #expect(try await journal.ledger(since: Sample.time(101)).isEmpty)
        #expect(try await journal.totals(since: Sample.time(0)).earned.msat == 35)
    }

    @Test func `nothing secret is printed`() {
        let intent = Sample.intent(1)
        #expect(!"\(intent)".contains("lnbcrt1"))
        var dumped = ""
        dump(intent, to: &dumped)
        #expect(!dumped.contains("lnbcrt1"))
    }
}
