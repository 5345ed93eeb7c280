import LightningTypes

// What payments look like in the log; see `Change+Log.swift`.

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
