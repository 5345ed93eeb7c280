import ArgumentParser
import LCPInspector
import LCPWire

/// How a command shows its answer.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON even on a terminal; errors too.")
    var json = false

    /// Prints an answer: JSON in a pipe or with `--json`, else a table for people.
    func show(_ answer: JSONText, title: String) throws {
        if json || !StandardOutput.isTerminal {
            try StandardOutput.write(Array("\(answer)\n".utf8))
        } else {
            try StandardOutput.write(Array(Table.render(answer, title: title).utf8))
        }
    }

    /// Prints a list: JSON in a pipe or with `--json`, else columns for people.
    func show(_ answer: JSONText, columns header: [String], _ rows: [[String]]) throws {
        if json || !StandardOutput.isTerminal {
            try StandardOutput.write(Array("\(answer)\n".utf8))
        } else {
            try StandardOutput.write(Array(Columns.render(header, rows).utf8))
        }
    }
}

/// The dialect an LCP message is read and written in.
struct DialectOptions: ParsableArguments {
    @Option(
        help: """
            The version of LCP whose tables are used, whatever the payload's protocol_version \
            says.
            """
    )
    var dialect = Dialect.v01
}

extension Dialect: ExpressibleByArgument {}
