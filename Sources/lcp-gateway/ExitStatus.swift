import ArgumentParser
import BusClient
import Gateway

/// The exit codes of `lcp-gateway`, from sysexits.h.
enum ExitStatus: Int32 {
    /// The bus or the address can't be used (EX_UNAVAILABLE).
    case unavailable = 69
    /// A fault of the program (EX_SOFTWARE).
    case software = 70
    /// Another gateway uses the keys (EX_TEMPFAIL).
    case inUse = 75
    /// The keys can't be used as they are (EX_CONFIG).
    case configuration = 78

    /// The paragraph `--help` ends with.
    static let help = """
        EXIT STATUS
          0   ended by SIGTERM or SIGINT
          64  an option makes no sense
          66  the configuration file can't be read
          69  the bus or the address can't be used
          70  a defect of this program
          75  another gateway uses the same keys
          78  the configuration or the file of keys is wrong
        """

    init(_ error: any Error) {
        switch error {
        case is BusClientError: self = .unavailable
        case let error as KeyRingError:
            self = error.code == .lockedByAnotherProcess ? .inUse : .configuration
        // What the server throws is about its address: it can do nothing else wrong at its start.
        case is CancellationError: self = .software
        default: self = .unavailable
        }
    }

    /// For the parser to exit with.
    var code: ExitCode { ExitCode(rawValue) }
}
