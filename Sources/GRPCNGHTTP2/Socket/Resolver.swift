import Glibc

/// Looks host names up, off the event loops and the shared thread pool.
enum Resolver {
    typealias Outcome = Result<[SocketAddress], GRPCTransportError>

    /// Finds the addresses of a host, IPv6 and IPv4 in turns, in the system's order of preference.
    ///
    /// `getaddrinfo` blocks and can't be cancelled; it runs on a thread that ends with it.
    ///
    /// - Parameters:
    ///   - host: A host name.
    ///   - port: Goes into the addresses.
    ///   - done: Called once, on that thread.
    static func lookUp(
        _ host: String,
        _ port: UInt16,
        _ done: @escaping @Sendable (Outcome) -> Void
    ) {
        guard !Thread.start({ done(blockingLookUp(host, port)) }) else { return }
        done(.failure(GRPCTransportError(.resourcesExhausted, "can't start a thread for DNS")))
    }

    private static func blockingLookUp(_ host: String, _ port: UInt16) -> Outcome {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &list)
        guard status == 0 else {
            let words =
                status == EAI_SYSTEM
                ? systemErrorText(errno) : String(cString: gai_strerror(status))
            return .failure(
                GRPCTransportError(.nameNotResolved, "\(host) has no address: \(words)")
            )
        }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let system = entry.pointee.ai_addr else { continue }
            var storage = sockaddr_storage()
            let length = min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: system, count: length))
            }
            guard let address = SocketAddress(storage, length: socklen_t(length)),
                !found.contains(address)
            else { continue }
            found.append(address)
        }
        return .success(inTurns(found))
    }

    /// Alternates the families, the first one's first, so that one broken family costs little.
    static func inTurns(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let family = addresses.first?.family else { return [] }
        let first = addresses.filter { $0.family == family }
        let second = addresses.filter { $0.family != family }
        var ordered: [SocketAddress] = []
        for index in 0..<max(first.count, second.count) {
            if index < first.count { ordered.append(first[index]) }
            if index < second.count { ordered.append(second[index]) }
        }
        return ordered
    }
}
