import BridgeProtocol
import CrashPoints
import Journal
import LightningTypes
import Logging
import LndRPC

// Orders: made and cancelled one after the other, and again after a failure.
extension InvoiceDesk {
    func take(_ id: OrderID, _ order: Order) {
        guard known.insert(id).inserted else { return }
        enqueue(id, order)
        pump()
    }

    func enqueue(_ id: OrderID, _ order: Order) {
        queue.append((id, order))
    }

    /// Begins as many calls as may be under way.
    func pump() {
        while running < settings.concurrentCalls, head < queue.count {
            let (id, order) = queue[head]
            head += 1
            running += 1
            todo.yield(.carryOut(id, order))
        }
        // Now and then, so that taking from the front costs nothing.
        guard head * 2 > queue.count else { return }
        queue.removeFirst(head)
        head = 0
    }

    func wake(_ id: OrderID) {
        guard let order = paused.removeValue(forKey: id) else { return }
        enqueue(id, order)
        pump()
    }

    func carryOut(_ id: OrderID, _ order: Order) async {
        switch order.kind {
        case .create(let invoice): await create(invoice, id, order)
        case .cancel(let hash): await cancel(hash, id, order)
        }
        running -= 1
        pump()
    }

    private func finish(_ id: OrderID, _ result: InvoiceOutcome.Result) {
        known.remove(id)
        report(id.job, id.effect, result)
    }

    private func again(_ id: OrderID, _ order: Order, _ error: LndError) {
        var order = order
        order.failures += 1
        count("invoices.calls_failed")
        logger.log(
            level: error.meansAway ? .debug : .notice,
            "call about an invoice failed",
            metadata: ["lcp.job": "\(id.job)", "error": "\(error)"]
        )
        let pause = settings.backoff.pause(after: order.failures, jitter: .random(in: 0..<1))
        paused[id] = order
        todo.yield(.pause(id, pause))
    }

    // MARK: Making

    private func create(_ invoice: InvoiceOrder, _ id: OrderID, _ order: Order) async {
        let asked = now()
        guard
            let request = invoice.request(
                now: asked,
                lead: lead,
                hints: settings.namesPrivateChannels
            )
        else {
            return refuse(
                id,
                BusFailure(
                    BusFailure.tooLate,
                    "the invoice would have been over before lnd could make it",
                    "See whether lnd is up; else let quotes last longer."
                )
            )
        }
        let added: AddedInvoice
        do {
            CrashPoint.beforeCreateInvoice.reach()
            added = try await lnd.addInvoice(request)
            CrashPoint.afterCreateInvoice.reach()
        } catch {
            switch InvoiceCreationVerdict(error.code) {
            case .refused: refuse(id, BusFailure(error))
            case .later: again(id, order, error)
            case .over: known.remove(id)
            }
            return
        }
        guard let made = invoice.made(added) else {
            await retract(added)
            return refuse(
                id,
                BusFailure(
                    "lnd-malformed-answer",
                    "lnd made another invoice than was ordered",
                    "Report this with lnd's version."
                )
            )
        }
        let lateness = made.timestamp.seconds - min(made.timestamp.seconds, asked.seconds)
        lead = max(lateness, 1)
        guard made.terms.expiresAt <= invoice.expiresAt else {
            await retract(added)
            return madeTooLate(id, order, lateness)
        }
        count("invoices.created")
        if recent.count >= Self.rememberedInvoices { recent.removeAll() }
        recent[added.paymentHash] = id.job
        finish(id, .created(added, made.terms))
    }

    private func refuse(_ id: OrderID, _ failure: BusFailure) {
        count("invoices.refused")
        logger.notice(
            "invoice refused",
            metadata: ["lcp.job": "\(id.job)", "error": "\(failure.code): \(failure.detail)"]
        )
        finish(id, .refused(failure))
    }

    /// Cancels an invoice that nobody will see; should that fail, it ends by itself.
    private func retract(_ added: AddedInvoice) async {
        try? await lnd.cancelInvoice(added.paymentHash)
    }

    /// The clocks differ by more than we knew; now we know.
    private func madeTooLate(_ id: OrderID, _ order: Order, _ lateness: UInt64) {
        var order = order
        order.lateInvoices += 1
        guard order.lateInvoices < 3 else {
            return refuse(
                id,
                BusFailure(
                    "clock-skew",
                    "lnd's clock is \(lateness) s ahead of the bridge's, and not steadily",
                    "Synchronise the clocks of both machines.",
                    isRetryable: true
                )
            )
        }
        enqueue(id, order)
    }

    // MARK: Cancelling

    private func cancel(_ hash: PaymentHash, _ id: OrderID, _ order: Order) async {
        let record: InvoiceRecord?
        do {
            record = try await journal.invoice(hash)
        } catch {
            return again(id, order, LndError(.notReached, "CancelInvoice: \(error)"))
        }
        guard let record, record.job == id.job else {
            // A job may name any hash; only its own invoices count.
            count("invoices.foreign")
            return finish(id, .notOurs(hash))
        }
        switch (record.state, record.paid) {
        case (.settled, let paid?): return finish(id, .settled(hash, paid))
        case (.cancelled, _): return finish(id, .cancelled(hash))
        case (.open, _), (.settled, nil): break
        }
        let (verdict, error) = await cancelInLnd(hash)
        switch verdict {
        case .settled(let paid?): finish(id, .settled(hash, paid))
        case .cancelled: finish(id, .cancelled(hash))
        case .notFound where isHopeless(record.terms): finish(id, .cancelled(hash))
        case .over: known.remove(id)
        case .settled(nil), .notFound, .open, .unknown:
            again(id, order, error ?? LndError(.other, "CancelInvoice: the invoice is open"))
        }
    }

    private func cancelInLnd(_ hash: PaymentHash) async -> (InvoiceVerdict, LndError?) {
        do {
            CrashPoint.beforeCancelInvoice.reach()
            try await lnd.cancelInvoice(hash)
            CrashPoint.afterCancelInvoice.reach()
            return (.cancelled, nil)
        } catch {
            let verdict = InvoiceVerdict(error.code)
            // lnd says that it was paid; how much, only a lookup tells.
            return verdict == .settled(nil) ? await lookUp(hash) : (verdict, error)
        }
    }
}
