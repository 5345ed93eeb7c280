import LCPCore
import LCPTesting
import LCPWire
import LightningCrypto
import LightningTypes

extension SimulatedMarket {
    /// Runs until both sides have nothing left to do: first through a storm, then in calm.
    mutating func run() throws {
        for _ in 0..<Int(30 + random.next() % 200) { try act() }
        isStormy = false
        // Whoever waited for a lost message is woken; nobody needs more rounds than this.
        for _ in 0..<60 {
            while try act() {}
            if requester.job.phase == .unanswered { requester.news.append(.peerReturned) }
            lookUpInvoices()
            guard hasNews || isWaiting else { return }
            if !hasNews { skipToNextWake() }
        }
        violations.append("never came to rest: \(requester.job.phase)")
    }

    private var hasNews: Bool {
        !requester.news.isEmpty || provider.values.contains { !$0.news.isEmpty }
    }

    /// Whether somebody waits for more than the end of a retention.
    private var isWaiting: Bool {
        switch requester.job.phase {
        case .unsubmitted, .requesting, .quoted, .paying, .withdrawing, .awaitingAnswer,
            .unanswered:
            return true
        case .ended, .finished: break
        }
        return provider.values.contains { row in
            switch row.job.phase {
            case .awaitingInvoice, .droppingInvoice, .quoted, .withdrawing, .executing: true
            case .unquoted, .closed, .answered, .finished: false
            }
        }
    }

    private mutating func skipToNextWake() {
        // One may be overdue: a crash has swallowed it.
        wakeAll()
        guard !hasNews else { return }
        let wakes = [requester.job.wakeAt] + providerOrder.map { provider[$0]?.job.wakeAt }
        let later = wakes.compactMap(\.self).filter { $0 > now }.min()
        now = later ?? now.advanced(bySeconds: 60)
        wakeAll()
    }

    private mutating func wakeAll() {
        if let wake = requester.job.wakeAt, wake <= now { requester.news.append(.woken) }
        for id in providerOrder {
            if let wake = provider[id]?.job.wakeAt, wake <= now {
                provider[id]?.news.append(.woken)
            }
        }
    }

    /// Does one thing that could happen next; false when nothing could.
    @discardableResult
    private mutating func act() throws -> Bool {
        if isStormy {
            now = now.advanced(bySeconds: chance(5) ? random.next() % 200 : random.next() % 4)
            wakeAll()
            if chance(2) { requester.news.append(.cancelledByClient) }
            if chance(2) { requester.news.append(.peerReturned) }
            if chance(5) { lookUpInvoices() }
        }
        // Which kind of thing comes first is chance; in calm every kind gets its turn.
        let first = random.next() % 6
        for offset in 0..<UInt64(6) {
            let happened =
                switch (first + offset) % 6 {
                case 0: try deliverMessage()
                case 1: try handleProviderNews()
                case 2: try handleRequesterNews()
                case 3: try runProviderEffect()
                case 4: try runRequesterEffect()
                default: movePayment() || finishCompute()
                }
            if happened { return true }
        }
        return false
    }

    private mutating func deliverMessage() throws -> Bool {
        guard !network.isEmpty else { return false }
        let message = network.remove(at: Int(random.next() % UInt64(network.count)))
        guard message.toProvider else {
            if let event = requesterEvent(message) { try stepRequester(with: event) }
            return true
        }
        switch message.payload {
        case .quoteRequest:
            if provider[message.jobID] == nil {
                let job = ProviderJob(peer: requesterNode, jobID: message.jobID)
                provider[message.jobID] = ProviderRow(job: job)
                providerOrder.append(message.jobID)
            }
            let asked = ProviderJob.Request(body: request)
            try stepProvider(message.jobID, with: .quoteRequested(asked))
        case .cancel:
            if quote(of: message.jobID).map({ invoices[$0.paymentHash]?.state == .settled }) == true
            {
                counts.cancelledAndPaid += 1
            }
            try stepProvider(message.jobID, with: .cancelRequested)
        case .quote, .result, .error: violations.append("a provider's message to a provider")
        }
        return true
    }

    private func requesterEvent(_ message: Message) -> RequesterJob.Event? {
        switch message.payload {
        case .quote(let response): .quoteReceived(message.jobID, response)
        case .result(let output):
            .resultReceived(
                message.jobID,
                RequesterJob.ReceivedResult(
                    messageID: message.id,
                    byteCount: output.byteCount,
                    contentType: output.contentType
                )
            )
        case .error(let failure): .errorReceived(message.jobID, failure)
        case .quoteRequest, .cancel: nil
        }
    }

    private mutating func handleProviderNews() throws -> Bool {
        for id in providerOrder {
            guard let event = provider[id]?.news.first else { continue }
            provider[id]?.news.removeFirst()
            try stepProvider(id, with: event)
            return true
        }
        return false
    }

    private mutating func handleRequesterNews() throws -> Bool {
        guard !requester.news.isEmpty else { return false }
        try stepRequester(with: requester.news.removeFirst())
        return true
    }

    private mutating func runProviderEffect() throws -> Bool {
        for id in providerOrder {
            guard let row = provider[id], !row.isFinished,
                let effect = row.job.outstanding.first(where: { !row.ran.contains($0) })
            else { continue }
            try run(effect, of: id, isCommitted: !(isStormy && chance(4)))
            return true
        }
        return false
    }

    private mutating func runRequesterEffect() throws -> Bool {
        let row = requester
        guard !row.isFinished,
            let effect = row.job.outstanding.first(where: { !row.ran.contains($0) })
        else { return false }
        run(effect, isCommitted: !(isStormy && chance(4)))
        return true
    }

    /// lnd goes on with a payment, or says again how it ended.
    private mutating func movePayment() -> Bool {
        let offer: RequesterJob.Offer
        switch requester.job.state {
        case .paying(let intent, _): offer = intent.offer
        case .withdrawing(let withdrawn, _): offer = withdrawn
        case .unsubmitted, .requesting, .quoted, .awaitingAnswer, .unanswered, .ended, .finished:
            return false
        }
        let hash = offer.paymentHash
        switch payments[hash] {
        case nil: return false
        case .inFlight:
            guard let invoice = invoices[hash] else { return false }
            if invoice.state == .open, now <= invoice.expiresAt, !chance(20) {
                invoices[hash]?.state = .settled
                payments[hash] = .succeeded
                counts.settled += 1
                // The provider's subscription may miss it; the sender may hear of it late.
                if !(isStormy && chance(30)) {
                    provider[invoice.jobID]?.news.append(.invoiceSettled(hash))
                }
            } else if isStormy, chance(50) {
                requester.news.append(.paymentInFlight(hash))
            } else {
                payments[hash] = .failed
            }
        case .succeeded:
            if isStormy, chance(60) { return false }
            let preimage = Preimage(offer.jobID.bytes)
            requester.news.append(.paymentSucceeded(hash, preimage, fee: .zero))
        case .failed: requester.news.append(.paymentFailed(hash, .lnd(.init(code: "TIMEOUT"))))
        case .withdrawn: requester.news.append(.paymentFailed(hash, .withdrawn))
        }
        return true
    }

    private mutating func finishCompute() -> Bool {
        guard let id = providerOrder.first(where: running.contains) else { return false }
        if isStormy, chance(40) { return false }
        running.remove(id)
        let output = ProviderJob.ComputedOutput(bytes: Redacted(Array("hello".utf8)))
        let outcome: ProviderJob.Event = chance(10) ? .computeFailed : .computed(output)
        provider[id]?.news.append(outcome)
        return true
    }
}
