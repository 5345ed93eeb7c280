import ArgumentParser
import BusAddresses

/// `lcp remote`: keys for a bus that is reached from other machines.
struct RemoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remote",
        abstract: "Make the keys with which other machines reach a bridge.",
        discussion: """
            On the bridge's machine, once:

              lcp remote key /etc/lcp/bridge.key

            On another machine, with the public key that this printed:

              lcp remote directory /etc/lcp/bus --bridge 10.0.0.1:9740 --bridge-key KEY
              lcp-compute --bus-dir /etc/lcp/bus --backend exec -- ./my-model

            Back at the bridge, a line for that machine's public key in a file of allowed keys, with \
            its rights: \(RemoteHelp.rights). Then:

              lcp-bridge --tcp 10.0.0.1:9740 --tcp-key /etc/lcp/bridge.key \
            --tcp-allow /etc/lcp/allowed …

            \(RemoteHelp.exitCodes)
            """,
        subcommands: [MakeBridgeKey.self, MakeRemoteDirectory.self]
    )
}

/// What the help of these commands shares.
enum RemoteHelp {
    static let rights = "provider, requester, compute, feed-messages, feed-events, control, query"

    static let exitCodes = """
        EXIT CODES: 0 success, 64 the command line is wrong, 73 the file can't be made or exists.
        """

    /// Runs a call and translates its failure.
    static func translating<Value>(
        _ call: () throws(BusAddressError) -> Value
    ) throws(CommandError) -> Value {
        do throws(BusAddressError) { return try call() } catch {
            throw CommandError(
                code: error.code.rawValue,
                detail: "\(error.detail). \(error.advice)",
                status: ExitCode(73)  // EX_CANTCREAT
            )
        }
    }
}
