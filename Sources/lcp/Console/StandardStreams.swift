import ArgumentParser
import Glibc

/// Standard input, read in pieces; memory stays bounded whatever comes.
struct StandardInput {
    /// No single input may be longer, in bytes: a document, or a line of a batch.
    static let limit = 16 << 20

    private var buffer: [UInt8] = []
    private var consumed = 0
    private var isAtEnd = false

    /// One line of a batch.
    enum Line {
        /// The line's bytes without the newline.
        case text(ArraySlice<UInt8>)
        /// The line is longer than the limit; it has been skipped.
        case tooLong
    }

    /// Whether the next line is already here, so that reading it won't wait.
    var hasBufferedLine: Bool { buffer[consumed...].contains(UInt8(ascii: "\n")) }

    /// Reads everything up to the end.
    ///
    /// - Returns: All bytes, at most the limit.
    /// - Throws: `ConsoleError` when reading fails or the input is too long.
    static func readAll() throws -> [UInt8] {
        var input = StandardInput()
        while try input.fill() {
            guard input.buffer.count <= limit else {
                throw ConsoleError.tooLong
            }
        }
        return input.buffer
    }

    /// Reads the next line; nil at the end.
    mutating func nextLine() throws -> Line? {
        var isTooLong = false
        var searched = consumed
        while true {
            if let newline = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[consumed..<newline]
                consumed = newline + 1
                return isTooLong ? .tooLong : .text(line)
            }
            searched = buffer.endIndex
            if searched - consumed > Self.limit {
                isTooLong = true
                buffer.removeAll(keepingCapacity: true)
                (consumed, searched) = (0, 0)
            } else if consumed > 0 {
                buffer.removeFirst(consumed)
                searched -= consumed
                consumed = 0
            }
            guard try fill() else {
                guard isTooLong || !buffer.isEmpty else { return nil }
                let line = buffer[...]
                buffer = []
                return isTooLong ? .tooLong : .text(line)
            }
        }
    }

    /// Reads once; false at the end.
    private mutating func fill() throws -> Bool {
        guard !isAtEnd else { return false }
        let size = 64 << 10
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: size))
        while true {
            // The pointer covers exactly the `size` bytes just appended and ends with the call.
            let count = buffer.withUnsafeMutableBytes {
                read(STDIN_FILENO, $0.baseAddress?.advanced(by: start), size)
            }
            if count < 0, errno == EINTR { continue }
            buffer.removeLast(size - max(count, 0))
            guard count >= 0 else { throw ConsoleError.unreadable(errno) }
            isAtEnd = count == 0
            return count > 0
        }
    }
}

/// Standard output and error.
enum StandardOutput {
    /// Whether a person reads standard output.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes all bytes, waiting as long as it takes.
    static func write(_ bytes: [UInt8], to descriptor: CInt = STDOUT_FILENO) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ConsoleError.unwritable(errno) }
            rest = rest.dropFirst(count)
        }
    }
}

/// Why the terminal or the pipe failed us.
enum ConsoleError: Error, CustomStringConvertible {
    case tooLong
    case unreadable(CInt)
    case unwritable(CInt)

    var description: String {
        switch self {
        case .tooLong:
            "standard input is longer than \(StandardInput.limit >> 20) MiB; use --batch for many"
        case .unreadable(let code): "can't read standard input: \(Self.text(code))"
        case .unwritable(let code): "can't write: \(Self.text(code))"
        }
    }

    private static func text(_ code: CInt) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
