import Foundation
import GRPCCore
import LndRPC
import SwiftProtobuf
import Testing

/// The macaroon: where it comes from, where it goes, and when it is read again.
@Suite struct MacaroonTests {
    /// A folder that ends with the test.
    private struct Folder: ~Copyable {
        let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

        init() throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit {
            // Left behind in the temporary folder at worst.
            try? FileManager.default.removeItem(at: url)
        }

        func file(_ bytes: [UInt8]) throws -> String {
            let file = url.appending(path: "test.macaroon")
            try Data(bytes).write(to: file)
            return file.path()
        }
    }

    /// An lnd that accepts one macaroon, given as hex, and records what it was sent.
    private func lnd(
        accepting hex: String,
        refusal: String = "verification failed: signature mismatch after caveat verification",
        sent: Recorder<[String]>,
        atRefusal: @escaping @Sendable () throws -> Void = {}
    ) -> ScriptedLnd {
        let check: @Sendable (Metadata) throws -> Void = { metadata in
            let values = Array(metadata[stringValues: "macaroon"])
            sent.record(values)
            guard values == [hex] else {
                try atRefusal()
                throw RPCError(code: .unknown, message: refusal)
            }
        }
        var lnd = ScriptedLnd()
        lnd.on(Lightning.GetInfo.descriptor) { (_: Lnrpc_GetInfoRequest, metadata) in
            try check(metadata)
            return Sample.info
        }
        lnd.on(Lightning.SubscribeInvoices.descriptor) {
            (_: Lnrpc_InvoiceSubscription, metadata) in
            try check(metadata)
            return Sample.invoice
        }
        lnd.on(State.GetState.descriptor) { (_: Lnrpc_GetStateRequest, metadata) in
            sent.record(Array(metadata[stringValues: "macaroon"]))
            return Lnrpc_GetStateResponse()
        }
        return lnd
    }

    @Test func `the macaroon goes along as lower-case hex`() async throws {
        let folder = try Folder()
        let path = try folder.file([2, 1, 0xAB])
        let sent = Recorder<[String]>()
        try await lnd(accepting: "0201ab", sent: sent).run(macaroonPath: path) { node in
            _ = try await node.getInfo()
            try await node.subscribeInvoices { for try await _ in $0 {} }
        }
        #expect(sent.values == [["0201ab"], ["0201ab"]])
    }

    @Test func `the State service gets no macaroon and needs no file`() async throws {
        let sent = Recorder<[String]>()
        try await lnd(accepting: "", sent: sent).run(macaroonPath: "/nowhere") { node in
            let state = try await node.getState()
            #expect(state == .nonExisting)
        }
        #expect(sent.values == [[]])
    }

    @Test func `without a path no macaroon is sent`() async throws {
        let sent = Recorder<[String]>()
        try await lnd(accepting: "00", sent: sent).run { node in
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .macaroonInvalid)
        }
        #expect(sent.values == [[]])
    }

    @Test func `a refused macaroon is read again, for calls and streams`() async throws {
        for isStream in [false, true] {
            let folder = try Folder()
            let path = try folder.file([2, 1])
            let sent = Recorder<[String]>()
            let lnd = lnd(accepting: "0202", sent: sent) {
                try Data([2, 2]).write(to: URL(filePath: path))
            }
            try await lnd.run(macaroonPath: path) { node in
                if isStream {
                    try await node.subscribeInvoices { for try await _ in $0 {} }
                } else {
                    _ = try await node.getInfo()
                }
                _ = try await node.getInfo()
            }
            #expect(sent.values == [["0201"], ["0202"], ["0202"]])
        }
    }

    @Test(arguments: [
        "permission denied", "cannot get macaroon: root key with id 0 doesn't exist",
        "expected 1 macaroon, got 0",
    ])
    func `every refusal of the macaroon leads to a second look`(refusal: String) async throws {
        let folder = try Folder()
        let path = try folder.file([2, 1])
        let sent = Recorder<[String]>()
        let lnd = lnd(accepting: "0202", refusal: refusal, sent: sent) {
            try Data([2, 2]).write(to: URL(filePath: path))
        }
        try await lnd.run(macaroonPath: path) { node in _ = try await node.getInfo() }
        #expect(sent.values == [["0201"], ["0202"]])
    }

    @Test func `an unchanged macaroon is not tried twice`() async throws {
        let folder = try Folder()
        let path = try folder.file([2, 1])
        let sent = Recorder<[String]>()
        let lnd = lnd(accepting: "00", refusal: "permission denied", sent: sent)
        try await lnd.run(macaroonPath: path) { node in
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .permissionDenied)
        }
        #expect(sent.values.count == 1)
    }

    @Test func `a second refusal is the answer`() async throws {
        let folder = try Folder()
        let path = try folder.file([2, 1])
        let sent = Recorder<[String]>()
        let lnd = lnd(accepting: "00", sent: sent) {
            try Data([2, UInt8(sent.values.count) + 1]).write(to: URL(filePath: path))
        }
        try await lnd.run(macaroonPath: path) { node in
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .macaroonInvalid)
            #expect(error?.outcomeIsUnknown == false)
        }
        #expect(sent.values == [["0201"], ["0202"]])
    }

    @Test func `an error of the call itself is not tried twice`() async throws {
        let folder = try Folder()
        let path = try folder.file([2, 1])
        let sent = Recorder<[String]>()
        let lnd = lnd(accepting: "00", refusal: "something else", sent: sent) {
            try Data([2, 2]).write(to: URL(filePath: path))
        }
        try await lnd.run(macaroonPath: path) { node in
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .other)
        }
        #expect(sent.values.count == 1)
    }

    /// The contents of a file, and what is wrong with them.
    struct Unusable: CustomTestStringConvertible {
        var bytes: [UInt8]
        var reason: String
        var testDescription: String { reason }
    }

    @Test(arguments: [
        Unusable(bytes: [], reason: "is empty"),
        Unusable(bytes: Array("0201036c6e64\n".utf8), reason: "is hex text"),
        Unusable(bytes: Array("-----BEGIN CERTIFICATE-----".utf8), reason: "is not a macaroon"),
        Unusable(bytes: Array("0021location lnd\n".utf8), reason: "is not a macaroon"),
        Unusable(bytes: [2] + [UInt8](repeating: 0, count: 65_536), reason: "more than 65536"),
    ])
    func `a file that holds no macaroon is named with what is wrong`(file: Unusable) async throws {
        let folder = try Folder()
        let path = try folder.file(file.bytes)
        try await ScriptedLnd().run(macaroonPath: path) { node in
            let error = try await lndError { try await node.getInfo() }
            #expect(error?.code == .macaroonFile)
            #expect(error?.detail.contains(path) == true)
            #expect(error?.detail.contains(file.reason) == true)
        }
    }

    @Test func `a missing file, a folder and a file we may not read are told apart`() async throws {
        let folder = try Folder()
        let paths = [
            (folder.url.appending(path: "missing").path(), "does not exist"),
            (folder.url.path(), "is not a regular file"),
            ("\(try folder.file([2]))/below", "can't be opened"),
        ]
        for (path, text) in paths {
            try await ScriptedLnd().run(macaroonPath: path) { node in
                let error = try await lndError { try await node.getInfo() }
                #expect(error?.code == .macaroonFile)
                #expect(error?.detail.contains(text) == true)
            }
        }
    }

    @Test func `a macaroon of the greatest size is read whole`() async throws {
        let folder = try Folder()
        let path = try folder.file([2] + [UInt8](repeating: 1, count: 65_535))
        let sent = Recorder<[String]>()
        let hex = "02" + String(repeating: "01", count: 65_535)
        try await lnd(accepting: hex, sent: sent).run(macaroonPath: path) { node in
            _ = try await node.getInfo()
        }
        #expect(sent.values.map { $0.map(\.utf8.count) } == [[131_072]])
    }

    @Test func `neither the node nor an error shows the macaroon`() async throws {
        let folder = try Folder()
        let path = try folder.file([2, 0xC0, 0xFF, 0xEE])
        let echo = "cannot get macaroon: 02c0ffee" + String(repeating: "ab", count: 60)
        let sent = Recorder<[String]>()
        let lnd = lnd(accepting: "00", refusal: echo, sent: sent)
        try await lnd.run(macaroonPath: path) { node in
            let error = try await lndError { try await node.getInfo() }
            var dumped = ""
            dump(node, to: &dumped)
            for text in ["\(node)", dumped, "\(try #require(error))"] {
                #expect(!text.contains("c0ffee"))
            }
        }
        #expect(sent.values == [["02c0ffee"]])
    }
}
