import LCPInspector
import LightningTypes

/// Answers one request a line on standard input with one line on standard output, in order.
enum Batch {
    /// Runs until standard input ends.
    ///
    /// Memory stays constant. Answers go out whenever no whole request is waiting, so that a
    /// program can hold a conversation through two pipes.
    ///
    /// - Parameter answer: Makes the answer's member from one line.
    /// - Throws: `ConsoleError` when a pipe breaks; a bad line is an answer, not an error.
    static func run(
        _ answer: (ArraySlice<UInt8>) throws(InspectionError) -> JSONText.Member
    ) throws {
        var input = StandardInput()
        var output: [UInt8] = []
        while let line = try input.nextLine() {
            result(of: line, answer).append(to: &output)
            output.append(UInt8(ascii: "\n"))
            if output.count > 64 << 10 || !input.hasBufferedLine {
                try StandardOutput.write(output)
                output.removeAll(keepingCapacity: true)
            }
        }
    }

    private static func result(
        of line: StandardInput.Line,
        _ answer: (ArraySlice<UInt8>) throws(InspectionError) -> JSONText.Member
    ) -> JSONText {
        do throws(InspectionError) {
            switch line {
            case .text(let bytes):
                return .object([.init(name: "ok", value: .bool(true)), try answer(bytes)])
            case .tooLong:
                throw InspectionError(
                    code: "line-too-long",
                    detail: "a line may have at most \(StandardInput.limit >> 20) MiB"
                )
            }
        } catch {
            return ["ok": .bool(false), "error": error.json]
        }
    }
}
