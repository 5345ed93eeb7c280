import BOLT11
import LightningTypes

// What each change looks like in the log: the fields in order. A new field means a new version of
// the directory, which the shell checks.

extension Change: LogCodable {
    func write(to log: inout LogWriter) {
        switch self {
        case .node(let record):
            log.append(1)
            record.write(to: &log)
        case .channel(let channel):
            log.append(2)
            channel.write(to: &log)
        case .rootKey(let node, let id, let key):
            log.append(3)
            node.write(to: &log)
            id.write(to: &log)
            key.reveal("to keep what the node knows").write(to: &log)
        case .permanentPeer(let node, let peer, let address):
            log.append(4)
            node.write(to: &log)
            peer.write(to: &log)
            address.write(to: &log)
        case .invoiceAdded(let node, let record):
            log.append(5)
            node.write(to: &log)
            record.write(to: &log)
        case .invoiceMoved(let node, let addIndex, let progress):
            log.append(6)
            node.write(to: &log)
            addIndex.write(to: &log)
            progress.write(to: &log)
        case .settleIndexJumped(let node, let index):
            log.append(7)
            node.write(to: &log)
            index.write(to: &log)
        case .paymentAdded(let node, let record):
            log.append(8)
            node.write(to: &log)
            record.write(to: &log)
        case .paymentMoved(let node, let index, let progress):
            log.append(9)
            node.write(to: &log)
            index.write(to: &log)
            progress.write(to: &log)
        }
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        switch try log.varint() {
        case 1: self = .node(try NodeRecord(from: &log))
        case 2: self = .channel(try Channel(from: &log))
        case 3:
            self = .rootKey(
                node: try NodeHandle(from: &log),
                id: try UInt64(from: &log),
                key: Redacted(try Bytes32(from: &log))
            )
        case 4:
            self = .permanentPeer(
                node: try NodeHandle(from: &log),
                peer: try NodeID(from: &log),
                address: try String?(from: &log)
            )
        case 5:
            self = .invoiceAdded(
                node: try NodeHandle(from: &log),
                try InvoiceRecord(from: &log)
            )
        case 6:
            self = .invoiceMoved(
                node: try NodeHandle(from: &log),
                addIndex: try UInt64(from: &log),
                try InvoiceProgress(from: &log)
            )
        case 7:
            self = .settleIndexJumped(
                node: try NodeHandle(from: &log),
                to: try UInt64(from: &log)
            )
        case 8:
            self = .paymentAdded(
                node: try NodeHandle(from: &log),
                try PaymentRecord(from: &log)
            )
        case 9:
            self = .paymentMoved(
                node: try NodeHandle(from: &log),
                index: try UInt64(from: &log),
                try PaymentProgress(from: &log)
            )
        default: throw log.fault("unknown change")
        }
    }
}

extension NodeHandle: LogCodable {
    func write(to log: inout LogWriter) { UInt64(index).write(to: &log) }

    init(from log: inout LogReader) throws(ChangeLogError) {
        index = Int(clamping: try UInt64(from: &log))
    }
}

extension NodeRecord: LogCodable {
    func write(to log: inout LogWriter) {
        name.write(to: &log)
        secretKey.reveal("to keep what the node knows").write(to: &log)
        address.write(to: &log)
        created.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        let record = Self(
            name: try String(from: &log),
            secretKey: Redacted(try Bytes32(from: &log)),
            address: try String(from: &log),
            created: try UnixTime(from: &log)
        )
        guard let record else { throw log.fault("not a private key") }
        self = record
    }
}

// MARK: - Channels

extension ChannelEnd: LogCodable {}

extension PerEnd: LogCodable where Value: LogCodable {
    func write(to log: inout LogWriter) {
        opener.write(to: &log)
        acceptor.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(opener: try Value(from: &log), acceptor: try Value(from: &log))
    }
}

extension Channel: LogCodable {
    func write(to log: inout LogWriter) {
        id.write(to: &log)
        ends.write(to: &log)
        capacityMsat.write(to: &log)
        balanceMsat.write(to: &log)
        pendingMsat.write(to: &log)
        sentMsat.write(to: &log)
        offered.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            id: try UInt64(from: &log),
            ends: try PerEnd(from: &log),
            capacityMsat: try UInt64(from: &log),
            balanceMsat: try PerEnd(from: &log),
            pendingMsat: try PerEnd(from: &log),
            sentMsat: try PerEnd(from: &log),
            offered: try PerEnd(from: &log)
        )
    }
}

// MARK: - Invoices

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

// MARK: - Payments

extension PaymentStatus: LogCodable {}
extension PaymentFailureReason: LogCodable {}
extension HTLCFailureCode: LogCodable {}

extension HTLCReference: LogCodable {
    func write(to log: inout LogWriter) {
        payment.node.write(to: &log)
        payment.index.write(to: &log)
        UInt64(attempt).write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            payment: PaymentKey(node: try NodeHandle(from: &log), index: try UInt64(from: &log)),
            attempt: Int(clamping: try UInt64(from: &log))
        )
    }
}

extension Hop: LogCodable {
    func write(to log: inout LogWriter) {
        channel.write(to: &log)
        offeredBy.write(to: &log)
        node.write(to: &log)
        forwardMsat.write(to: &log)
        feeMsat.write(to: &log)
        expiry.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            channel: try UInt64(from: &log),
            offeredBy: try ChannelEnd(from: &log),
            node: try NodeID(from: &log),
            forwardMsat: try UInt64(from: &log),
            feeMsat: try UInt64(from: &log),
            expiry: try UInt32(from: &log)
        )
    }
}

extension HTLCAttempt: LogCodable {
    func write(to log: inout LogWriter) {
        id.write(to: &log)
        route.hops.write(to: &log)
        route.totalTimeLock.write(to: &log)
        started.write(to: &log)
        switch status {
        case .inFlight: log.append(0)
        case .succeeded: log.append(1)
        case .failed(let code, let sourceIndex, let height):
            log.append(2)
            code.write(to: &log)
            sourceIndex.write(to: &log)
            height.write(to: &log)
        }
        resolved.write(to: &log)
        isHung.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        id = try UInt64(from: &log)
        route = Route(
            hops: try [Hop](from: &log),
            totalTimeLock: try UInt32(from: &log)
        )
        started = try NetworkTime(from: &log)
        switch try log.varint() {
        case 0: status = .inFlight
        case 1: status = .succeeded
        case 2:
            status = .failed(
                try HTLCFailureCode(from: &log),
                sourceIndex: try UInt32(from: &log),
                height: try UInt32(from: &log)
            )
        default: throw log.fault("unknown state of an HTLC")
        }
        resolved = try NetworkTime?(from: &log)
        isHung = try Bool(from: &log)
    }
}

extension PaymentTerms: LogCodable {
    func write(to log: inout LogWriter) {
        hash.write(to: &log)
        destination.write(to: &log)
        valueMsat.write(to: &log)
        paymentRequest.write(to: &log)
        secret.write(to: &log)
        finalTimeLockDelta.write(to: &log)
        feeLimitMsat.write(to: &log)
        timeLockLimit.write(to: &log)
        outgoingChannels.write(to: &log)
        lastHop.write(to: &log)
        maximumParts.write(to: &log)
        maximumShardMsat.write(to: &log)
        deadline.write(to: &log)
        isCancelable.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            hash: try PaymentHash(from: &log),
            destination: try NodeID(from: &log),
            valueMsat: try UInt64(from: &log),
            paymentRequest: try String(from: &log),
            secret: try Bytes32?(from: &log),
            finalTimeLockDelta: try UInt16(from: &log),
            feeLimitMsat: try UInt64(from: &log),
            timeLockLimit: try UInt32(from: &log),
            outgoingChannels: try [UInt64](from: &log),
            lastHop: try NodeID?(from: &log),
            maximumParts: try UInt32(from: &log),
            maximumShardMsat: try UInt64?(from: &log),
            deadline: try NetworkTime(from: &log),
            isCancelable: try Bool(from: &log)
        )
    }
}

extension PaymentProgress: LogCodable {
    func write(to log: inout LogWriter) {
        status.write(to: &log)
        failureReason.write(to: &log)
        attempts.write(to: &log)
        preimage.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            status: try PaymentStatus(from: &log),
            failureReason: try PaymentFailureReason(from: &log),
            attempts: try [HTLCAttempt](from: &log),
            preimage: try Preimage?(from: &log)
        )
    }
}

extension PaymentRecord: LogCodable {
    func write(to log: inout LogWriter) {
        terms.write(to: &log)
        index.write(to: &log)
        created.write(to: &log)
        progress.write(to: &log)
    }

    init(from log: inout LogReader) throws(ChangeLogError) {
        self.init(
            terms: try PaymentTerms(from: &log),
            index: try UInt64(from: &log),
            created: try NetworkTime(from: &log),
            progress: try PaymentProgress(from: &log)
        )
    }
}
