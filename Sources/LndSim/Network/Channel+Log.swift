import LightningTypes

// What channels look like in the log; see `Change+Log.swift`.

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
