import CrashPoints
import Journal
import LightningTypes
import LndRPC
import Logging

// What the desk does that takes time: the journal, the two calls to lnd, and waiting.
extension PaymentDesk {
    func carryOut(_ deed: Deed) async {
        switch deed {
        case .load(let hash): await load(hash)
        case .remind(let hash):
            if (try? await Task.sleep(for: settings.noticeAfter)) != nil {
                advance(hash, by: .takesItsTime)
            }
        case .step(let hash, let ticket, let next):
            guard let entry = entries[hash], entry.ticket == ticket else { return }
            switch next {
            case .pause(let duration):
                if (try? await Task.sleep(for: duration)) != nil {
                    advance(hash, by: .pauseOver, ticket: ticket)
                }
            case .record: await record(hash, ticket)
            case .send(let seconds): await send(entry.record, seconds, ticket)
            case .ask: await ask(hash, ticket)
            }
        }
    }

    private func record(_ hash: PaymentHash, _ ticket: UInt64) async {
        do {
            CrashPoint.beforeRecordAttempt.reach()
            try await journal.record([.paymentAttempted(hash)], for: nil, at: now())
            CrashPoint.afterRecordAttempt.reach()
            advance(hash, by: .recorded, ticket: ticket)
        } catch  where error.code == .diskFull || error.code == .overloaded {
            count("payments.not_recorded")
            advance(hash, by: .notRecorded, ticket: ticket)
        } catch {
            // The payment is resolved already, or the journal is at its end and so are we.
            logger.error("payment is not begun", metadata: ["error": "\(error)"])
            entries[hash] = nil
        }
    }

    private func send(_ record: PaymentRecord, _ seconds: UInt32, _ ticket: UInt64) async {
        let (hash, time) = (record.intent.hash, now())
        // Looked at again, as the decision may have waited for its turn.
        guard time < record.intent.notAfter, entries[hash]?.course.order == .pay else {
            let error = LndError(.notReached, "SendPaymentV2: too late, or withdrawn by now")
            return advance(hash, by: .callEnded(error), ticket: ticket)
        }
        let left = UInt32(clamping: record.intent.notAfter.seconds - time.seconds)
        let order = PaymentOrder(
            paymentRequest: Redacted(Self.invoice(of: record.intent)),
            feeLimit: record.intent.maxFee,
            timeoutSeconds: min(seconds, left),
            cltvLimit: rules.cltvLimit
        )
        count("payments.sent")
        logger.info(
            "payment begins",
            metadata: ["lcp.job": "\(record.job)", "lnd.payment_hash": "\(hash)"]
        )
        CrashPoint.beforePay.reach()
        await follow(hash, ticket) {
            try await self.lnd.sendPaymentV2(order) { try await self.read($0, hash, ticket) }
        }
    }

    private func ask(_ hash: PaymentHash, _ ticket: UInt64) async {
        let wait = pacer.place(at: .now)
        if wait > .zero { try? await Task.sleep(for: wait) }
        guard entries[hash]?.ticket == ticket else { return }
        count("payments.asked")
        await follow(hash, ticket) {
            try await self.lnd.trackPaymentV2(hash) { try await self.read($0, hash, ticket) }
        }
    }

    /// Makes a call and says how it ended.
    private func follow(
        _ hash: PaymentHash,
        _ ticket: UInt64,
        _ call: () async throws -> Void
    ) async {
        var failure: LndError?
        do {
            try await call()
        } catch let error as LndError {
            failure = error
        } catch {
            failure = LndError(.unavailable, "the call broke off: \(type(of: error))")
        }
        if Task.isCancelled { failure = LndError(.cancelled, "this process is ending") }
        guard let entry = entries[hash], entry.ticket == ticket else { return }
        if let failure {
            count("payments.calls_failed")
            logger.log(
                level: failure.meansAway ? .debug : .notice,
                "call about a payment failed",
                metadata: [
                    "lcp.job": "\(entry.record.job)", "lnd.payment_hash": "\(hash)",
                    "error": "\(failure)",
                ]
            )
        }
        advance(hash, by: .callEnded(failure), ticket: ticket)
    }

    /// Reads a call's states up to the last one.
    private nonisolated func read(
        _ states: LndStream<Payment>,
        _ hash: PaymentHash,
        _ ticket: UInt64
    ) async throws {
        for try await payment in states {
            guard payment.paymentHash == hash else {
                throw LndError(.malformedAnswer, "the answer is about another payment")
            }
            await told(payment, ticket)
            if payment.isTerminal { return }
        }
    }

    private func told(_ payment: Payment, _ ticket: UInt64) {
        if payment.status == .succeeded(nil) {
            count("payments.without_proof")
            logger.error(
                "lnd says paid and has no preimage that proves it",
                metadata: ["lnd.payment_hash": "\(payment.paymentHash)"]
            )
        }
        advance(
            payment.paymentHash,
            by: .told(payment.status, fee: payment.fee, createdAt: payment.createdAt),
            ticket: ticket
        )
    }
}
