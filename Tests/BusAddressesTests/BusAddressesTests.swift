import BridgeProtocol
import BusAddresses
import Foundation
import Testing
import ZeroMQ

@Suite struct BusAddressesTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "lcp-bus-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(directory)
    }

    private func code(_ body: () throws(BusAddressError) -> Void) -> BusAddressError.Code? {
        do throws(BusAddressError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    // MARK: - Addresses

    @Test(arguments: [
        ("10.0.0.1:9740", "10.0.0.1", 9740), ("bridge.lan:1", "bridge.lan", 1),
        ("[fd00::1]:65526", "fd00::1", 65_526), ("*:9740", "*", 9740),
    ])
    func `a host and the first port are read and written`(
        text: String,
        host: String,
        port: UInt16
    ) throws {
        let address = try #require(BridgeAddress(text))
        #expect(address.host == host && address.port == port)
        #expect(address.description == text)
        #expect(BridgeAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "host", "host:", ":9740", "host:0", "host:65527", "host:99999", "host:+80",
        "fd00::1:80",
        "host:9740 ", "[]:9740",
    ])
    func `what is no host and port, or leaves no room for all endpoints, is refused`(text: String) {
        #expect(BridgeAddress(text) == nil)
    }

    @Test func `every endpoint has a port of its own, within the ten`() {
        let offsets = BusEndpoint.allCases.map(\.portOffset)
        #expect(Set(offsets) == Set(0...BusEndpoint.maximumPortOffset))
        #expect(offsets.count == Set(offsets).count)
        // Both endpoints of a role are one right, and nothing else is shared.
        let shared = Dictionary(grouping: BusEndpoint.allCases, by: \.right).values.map(\.count)
        #expect(shared.sorted() == [1, 1, 1, 1, 2, 2, 2])
    }

    @Test(arguments: ["ipc-schema/README.md", "ipc-schema/python/lcp_bus/bus.py"])
    func `the schema's text and Python know the same ports`(file: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../\(file)"
        )
        let text = try String(contentsOf: path, encoding: .utf8)
        for endpoint in BusEndpoint.allCases {
            let (name, offset) = (endpoint.path, endpoint.portOffset)
            #expect(
                text.contains("\"\(name)\": \(offset),")
                    || text.contains("| \(offset) | `\(name)` |"),
                "\(name)"
            )
        }
    }

    // MARK: - Allowed keys

    @Test func `a key has the rights of its line and no other`() throws {
        let (gpu, desk) = (try CurveKeyPair().publicKey, try CurveKeyPair().publicKey)
        let allowed = try AllowedKeys(
            text: """
                # who may come in

                compute \(gpu) gpu-1, in the cellar
                  control,query \(desk)
                compute \(desk)
                """,
            name: "allow"
        )
        #expect(
            allowed.keys == [.compute: [gpu, desk], .control: [desk], .query: [desk]]
        )
    }

    @Test func `a line that can't be read is named, and nobody is let in by it`() throws {
        let key = try CurveKeyPair().publicKey
        for line in [
            "compute", "compute short", "spend \(key)", "control, \(key)", "\(key) compute",
        ] {
            let error = #expect(throws: BusAddressError.self) {
                _ = try AllowedKeys(text: "# first\n\(line)\n", name: "allow")
            }
            #expect(error?.code == .malformed)
            #expect(error?.detail.contains("allow: line 2") == true, "\(line)")
        }
    }

    @Test func `an endpoint whose right nobody has is not reachable over tcp`() throws {
        let keys = try CurveKeyPair()
        let allowed = try AllowedKeys(text: "compute \(keys.publicKey)", name: "allow")
        let address = try #require(BridgeAddress("127.0.0.1:9740"))
        let listener = TCPListener(address: address, keys: keys, allowed: allowed)
        for endpoint in BusEndpoint.allCases {
            switch listener.binding(endpoint, path: "/x") {
            case .ipc: #expect(endpoint.right != .compute)
            case .ipcAndTCP(let path, let host, let port, let server):
                #expect(endpoint.right == .compute && path == "/x" && host == "127.0.0.1")
                #expect(port == 9740 + endpoint.portOffset)
                #expect(server.admits(keys.publicKey))
                #expect(!server.admits(try CurveKeyPair().publicKey))
            case .tcp: Issue.record("\(endpoint) has no Unix socket any more")
            }
        }
    }

    // MARK: - Files

    @Test func `a new directory of a remote bridge is read as it was written`() throws {
        try withDirectory { directory in
            let server = try CurveKeyPair().publicKey
            let address = try #require(BridgeAddress("[fd00::7]:9740"))
            let own = try RemoteBridge.create(in: directory, address: address, serverKey: server)
            let location = try BusLocation(directory: directory)
            #expect(location.remote?.address == address)
            #expect(location.remote?.curve.serverKey == server)
            #expect(location.remote?.curve.keys.publicKey == own)
            guard case .tcp(let host, let port, _) = location.connection(to: .query) else {
                Issue.record("a remote bridge is reached over tcp")
                return
            }
            #expect(host == "fd00::7" && port == 9749)
            let again = code { () throws(BusAddressError) in
                _ = try RemoteBridge.create(in: directory, address: address, serverKey: server)
            }
            #expect(again == .exists)
        }
    }

    @Test func `a directory without the file has Unix sockets`() throws {
        try withDirectory { directory in
            guard
                case .ipc(let path) = try BusLocation(directory: directory).connection(to: .control)
            else {
                Issue.record("no file, no tcp")
                return
            }
            #expect(path == "\(directory)/control/socket")
        }
    }

    @Test func `a secret that others may read is refused, and so is what is no key`() throws {
        try withDirectory { directory in
            let path = "\(directory)/key"
            let keys = try KeyFile.create(path)
            #expect(try KeyFile.read(path).publicKey == keys.publicKey)
            #expect(code { () throws(BusAddressError) in _ = try KeyFile.create(path) } == .exists)
            chmod(path, 0o640)
            #expect(code { () throws(BusAddressError) in _ = try KeyFile.read(path) } == .tooOpen)
            try Data("too short\n".utf8).write(to: URL(filePath: path))
            chmod(path, 0o600)
            #expect(code { () throws(BusAddressError) in _ = try KeyFile.read(path) } == .malformed)
            let missing = "\(directory)/no"
            #expect(
                code { () throws(BusAddressError) in _ = try KeyFile.read(missing) } == .unreadable
            )
        }
    }

    @Test(arguments: [
        "", "bridge 10.0.0.1:9740", "bridge nowhere", "bridge-key x", "key x", "what ever",
        "bridge a:1\nbridge a:1",
    ])
    func `a file of a remote bridge that is not whole is refused without showing its lines`(
        text: String
    ) throws {
        try withDirectory { directory in
            let path = "\(directory)/\(RemoteBridge.fileName)"
            try Data(text.utf8).write(to: URL(filePath: path))
            chmod(path, 0o600)
            let error = #expect(throws: BusAddressError.self) {
                _ = try BusLocation(directory: directory)
            }
            #expect(error?.code == .malformed)
            #expect(error?.detail.contains("what ever") == false)
        }
    }
}
