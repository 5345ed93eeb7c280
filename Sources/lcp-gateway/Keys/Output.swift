import Glibc

/// The process's standard streams.
enum Output {
    /// Which of them.
    enum Stream: CInt {
        case output = 1
        case error = 2
    }

    /// Writes a text whole; what can't be written has nobody left to hear of it.
    static func write(_ text: String, to stream: Stream = .output) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                Glibc.write(stream.rawValue, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The process's environment.
enum Environment {
    /// A variable; nil when it is missing or empty.
    static subscript(name: String) -> String? {
        // Copied at once, before there are threads that could set it.
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
