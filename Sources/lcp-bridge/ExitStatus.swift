import ArgumentParser
import Bridge
import BusAddresses
import Journal
import LndRPC
import ZeroMQ

/// The exit codes of `lcp-bridge`, from sysexits.h.
enum ExitStatus: Int32 {
    /// Another process holds the journal or the bus (EX_TEMPFAIL).
    case inUse = 75
    /// A file or an address can't be used as it is (EX_CONFIG).
    case configuration = 78
    /// The journal is damaged or of a newer version (EX_DATAERR).
    case badData = 65
    /// The disk failed (EX_IOERR).
    case inputOutput = 74
    /// Anything else (EX_SOFTWARE).
    case software = 70

    /// The paragraph `--help` ends with.
    static let help = """
        EXIT CODES: 0 stopped by SIGTERM or SIGINT with everything on disk, 64 the command line is \
        wrong, 65 the journal is damaged or of a newer version, 70 a fault of the program, 74 the \
        disk failed, 75 another process uses the journal or the bus, 78 a path, an address, the \
        node or the network is not what it should be.
        """

    init(_ error: any Error) {
        switch error {
        case let error as JournalError:
            switch error.code {
            case .lockedByAnotherProcess: self = .inUse
            case .newerSchema, .notAJournal, .damaged: self = .badData
            case .durabilityRefused, .pathUnusable, .otherJournal: self = .configuration
            default: self = .inputOutput
            }
        case let error as ZeroMQError: self = error.code == .addressInUse ? .inUse : .configuration
        case is BridgeError, is BusAddressError, is LndError: self = .configuration
        default: self = .software
        }
    }

    /// For the parser to exit with.
    var code: ExitCode { ExitCode(rawValue) }
}
