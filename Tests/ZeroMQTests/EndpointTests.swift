import Glibc
import Testing
import ZeroMQ

@Suite(.timeLimit(.minutes(10))) struct EndpointTests {
    @Test func `a path that does not fit into a socket address is refused by name`() async throws {
        let context = try Context()
        let path = "/tmp/" + String(repeating: "x", count: 103)
        let error = await #expect(throws: ZeroMQError.self) {
            try await context.pull(.ipc(path: path))
        }
        #expect(error?.code == .pathTooLong)
        #expect(error?.description.contains("108 bytes") == true)
        #expect(error?.description.contains("107") == true)
        #expect(await code { _ = try await context.push(.ipc(path: path)) } == .pathTooLong)
        await context.shutDown()
    }

    @Test func `a path of 107 bytes is bound`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let context = try Context()
        let room = 107 - directory.path.utf8.count - 1
        let path = directory.file(String(repeating: "x", count: room))
        defer { unlink(path) }
        #expect(path.utf8.count == 107)
        let pull = try await context.pull(.ipc(path: path))
        #expect(pull.endpoint == "ipc://\(path)")
        await context.shutDown()
    }

    @Test(arguments: ["", "*", "@abstract", "a\0b"])
    func `a path that names no file is refused`(path: String) async throws {
        let context = try Context()
        #expect(await code { _ = try await context.pull(.ipc(path: path)) } == .addressInvalid)
        await context.shutDown()
    }

    @Test func `a live socket is not taken over`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let first = try Context()
        let second = try Context()
        let pull = try await first.pull(.ipc(path: path))
        #expect(await code { _ = try await second.pull(.ipc(path: path)) } == .addressInUse)
        // The first is undisturbed.
        let push = try await second.push(.ipc(path: path))
        try await push.send(Message(Frame("x")))
        #expect(try await pull.receive().count == 1)
        await second.shutDown()
        await first.shutDown()
    }

    @Test func `a socket file that a dead process left is replaced`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        close(stale)
        let context = try Context()
        let pull = try await context.pull(.ipc(path: path))
        let push = try await context.push(.ipc(path: path))
        try await push.send(Message(Frame("x")))
        #expect(try await pull.receive().count == 1)
        await context.shutDown()
    }

    @Test func `a file that is no socket is left alone`() async throws {
        let directory = try BusDirectory()
        defer { directory.remove() }
        let path = directory.file("a")
        let file = try #require(fopen(path, "w"))
        fputs("precious", file)
        fclose(file)
        let context = try Context()
        #expect(await code { _ = try await context.pull(.ipc(path: path)) } == .notASocket)
        #expect(access(path, F_OK) == 0)
        await context.shutDown()
    }

    @Test func `a directory that does not exist is an invalid address`() async throws {
        let context = try Context()
        let failure = await code { _ = try await context.pull(.ipc(path: "/nowhere/at/all")) }
        #expect(failure == .addressInvalid)
        await context.shutDown()
    }
}
