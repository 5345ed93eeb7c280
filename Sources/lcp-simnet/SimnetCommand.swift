import ArgumentParser
import Glibc
import LndSim
import UnixSignals

@main
struct SimnetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lcp-simnet",
        abstract: "A simulated Lightning network that serves lnd's gRPC API.",
        discussion: """
            Each node has its own port, certificate and macaroon, as a real lnd. Any client of lnd \
            can use it; nothing touches a real network or real money.

            EXAMPLE
              lcp-simnet --dir /tmp/net --node alice --node bob --channel alice:bob:1000000
              lcp-simnet ctl status --dir /tmp/net
            """,
        subcommands: [RunCommand.self, ControlCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

/// Runs a network until SIGTERM.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a network until SIGTERM or SIGINT (the default).",
        discussion: """
            Keeps everything in one directory: simnet.json tells addresses and paths, and each \
            node's directory has tls.cert, tls.key and admin.macaroon. Started again with the same \
            directory, also after SIGKILL, all nodes, channels, invoices and payments are there; \
            nodes and channels named again are not made twice.

            EXIT STATUS
              0   stopped by a signal
              64  an option makes no sense
              65  the directory's log can't be read
              69  an address can't be listened on
              73  a file can't be written
              75  another process uses the directory
            """
    )

    @Option(help: "The directory that keeps the network; made when missing.")
    var dir: String

    @Option(name: .customLong("node"), help: "A node's name; repeat for more nodes.")
    var nodes: [String] = []

    @Option(
        name: .customLong("channel"),
        help: ArgumentHelp(
            "A channel, sizes in satoshis; the opener holds what is not pushed. Repeatable.",
            valueName: "opener:acceptor:capacity[:pushed][:private]"
        )
    )
    var channels: [ChannelOption] = []

    @Option(help: "The first node's port, one more for each further; free ports without it.")
    var portBase: UInt16?

    @Option(help: "Make keys and preimages repeatable. Without it they are random.")
    var seed: UInt64?

    @Flag(help: "Serve a temporary certificate while a wallet is locked, as lnd's tlsencryptkey.")
    var tlsEncryptKey = false

    func run() async throws {
        try await exiting {
            // Before anything is served: a signal must not find the default action.
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            let simnet = try await Simnet(
                SimnetOptions(
                    directory: dir,
                    nodes: nodes,
                    channels: channels,
                    portBase: portBase,
                    seed: seed,
                    encryptsTLSKeys: tlsEncryptKey
                )
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await simnet.run { summary in
                        let count = summary.nodes.count
                        say("lcp-simnet: ready, \(count) nodes, see \(simnet.summaryPath)")
                    }
                }
                group.addTask {
                    for await _ in signals { return }
                }
                // Whichever ends first, signal or failure, ends the other.
                try await group.next()
                group.cancelAll()
            }
        }
    }
}

extension ChannelOption: ExpressibleByArgument {
    /// Reads the form of the command line.
    public init?(argument: String) { self.init(argument) }
}

/// Writes a line to standard output at once, also into a pipe.
func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(1, bytes, bytes.count)
}

/// Turns our errors into messages and exit codes of sysexits(3).
func exiting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as SimnetError {
        let bytes = Array("lcp-simnet: \(error)\n".utf8)
        _ = write(2, bytes, bytes.count)
        throw ExitCode(error.exitCode)
    } catch is CancellationError {
        return
    }
}

extension SimnetError {
    var exitCode: Int32 {
        switch code {
        case .invalidOption: 64  // EX_USAGE
        case .logUnreadable: 65  // EX_DATAERR
        case .addressRefused: 69  // EX_UNAVAILABLE
        case .fileRefused: 73  // EX_CANTCREAT
        case .directoryInUse: 75  // EX_TEMPFAIL
        }
    }
}
