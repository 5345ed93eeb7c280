import BOLT11
import LightningTypes

// What each change looks like in the log: a number for its form, then the fields in order. A form
// never changes; what has a new field gets a new number.

extension Change: LogCodable {
    func write(to log: inout LogWriter) {
        switch self {
        case .node(let record):
            log.append(1)
            record.write(to: &log)
        case .channel(let channel):
            log.append(channel.isPrivate ? 10 : 2)
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
            let fallback = record.terms.fallbackAddress
            log.append(fallback.isEmpty ? 5 : 11)
            node.write(to: &log)
            record.write(to: &log)
            if !fallback.isEmpty { fallback.write(to: &log) }
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
        case 10:
            var channel = try Channel(from: &log)
            channel.isPrivate = true
            self = .channel(channel)
        case 11:
            let node = try NodeHandle(from: &log)
            let record = try InvoiceRecord(from: &log)
            var terms = record.terms
            terms.fallbackAddress = try String(from: &log)
            self = .invoiceAdded(
                node: node,
                InvoiceRecord(terms: terms, addIndex: record.addIndex, progress: record.progress)
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
