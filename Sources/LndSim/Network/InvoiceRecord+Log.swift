import BOLT11
import LightningTypes

// What invoices look like in the log; see `Change+Log.swift`.

extension InvoiceState: LogCodable {}
extension InvoiceHTLC.State: LogCodable {}

extension RouteHop: LogCodable {
    func write(to log: inout LogWriter) {
        nodeID.write(to: &log)
        shortChannelID.value.write(to: &log)
        feeBaseMsat.write(to: &log)
        feeProportionalMillionths.write(to: &log)
        cltvExpiryDelta.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            nodeID: try NodeID(from: &log),
            shortChannelID: ShortChannelID(try UInt64(from: &log)),
            feeBaseMsat: try UInt32(from: &log),
            feeProportionalMillionths: try UInt32(from: &log),
            cltvExpiryDelta: try UInt16(from: &log)
        )
    }
}

extension SignedInvoice: LogCodable {
    func write(to log: inout LogWriter) {
        hash.write(to: &log)
        secret.write(to: &log)
        preimage.write(to: &log)
        memo.write(to: &log)
        valueMsat.write(to: &log)
        descriptionHash.write(to: &log)
        expirySeconds.write(to: &log)
        timeLockDelta.write(to: &log)
        routeHints.write(to: &log)
        created.write(to: &log)
        paymentRequest.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            hash: try PaymentHash(from: &log),
            secret: try Bytes32(from: &log),
            preimage: try Preimage?(from: &log),
            memo: try String(from: &log),
            valueMsat: try UInt64(from: &log),
            descriptionHash: try Bytes32?(from: &log),
            expirySeconds: try UInt64(from: &log),
            timeLockDelta: try UInt16(from: &log),
            routeHints: try [[RouteHop]](from: &log),
            created: try UnixTime(from: &log),
            paymentRequest: try String(from: &log)
        )
    }
}

extension InvoiceHTLC: LogCodable {
    func write(to log: inout LogWriter) {
        channel.write(to: &log)
        index.write(to: &log)
        amountMsat.write(to: &log)
        acceptHeight.write(to: &log)
        acceptTime.write(to: &log)
        expiryHeight.write(to: &log)
        totalMsat.write(to: &log)
        state.write(to: &log)
        resolveTime.write(to: &log)
        reference.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            channel: try UInt64(from: &log),
            index: try UInt64(from: &log),
            amountMsat: try UInt64(from: &log),
            acceptHeight: try UInt32(from: &log),
            acceptTime: try UnixTime(from: &log),
            expiryHeight: try UInt32(from: &log),
            totalMsat: try UInt64(from: &log),
            state: try State(from: &log),
            resolveTime: try UnixTime?(from: &log),
            reference: try HTLCReference(from: &log)
        )
    }
}

extension InvoiceProgress: LogCodable {
    func write(to log: inout LogWriter) {
        state.write(to: &log)
        preimage.write(to: &log)
        settleIndex.write(to: &log)
        settledAt.write(to: &log)
        amountPaidMsat.write(to: &log)
        htlcs.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            state: try InvoiceState(from: &log),
            preimage: try Preimage?(from: &log),
            settleIndex: try UInt64(from: &log),
            settledAt: try UnixTime?(from: &log),
            amountPaidMsat: try UInt64(from: &log),
            htlcs: try [InvoiceHTLC](from: &log)
        )
    }
}

extension InvoiceRecord: LogCodable {
    func write(to log: inout LogWriter) {
        terms.write(to: &log)
        addIndex.write(to: &log)
        progress.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            terms: try SignedInvoice(from: &log),
            addIndex: try UInt64(from: &log),
            progress: try InvoiceProgress(from: &log)
        )
    }
}
