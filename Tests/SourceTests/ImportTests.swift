import Foundation
import Testing

/// Which module may know which: imports point inward.
@Suite struct ImportTests {
    /// What each module of ours may import; a new import is a decision, made here.
    private static let allowed: [String: String] = [
        // Values.
        "LightningTypes": "",
        "LightningCrypto": "LightningTypes COpenSSL CSecp256k1",
        // Pure.
        "BOLT11": "LightningTypes LightningCrypto",
        "LCPWire": "LightningTypes LightningCrypto",
        "LCPCore": "BOLT11 LCPWire LightningTypes",
        "LCPInspector": "BOLT11 LCPWire LightningCrypto LightningTypes FoundationEssentials",
        "Conversation": "",
        "OpenAIChat": "FoundationEssentials",
        // Bindings.
        "NGHTTP2": "CNGHTTP2",
        "ZeroMQ": "CZeroMQ Glibc Synchronization",
        // Transport.
        "GRPCProtobufCoding": "GRPCCore SwiftProtobuf",
        "GRPCNGHTTP2": """
        LightningTypes NGHTTP2 COpenSSL CLinux GRPCCore Glibc Synchronization
        """,
        "LndRPC": """
        LightningTypes LightningCrypto GRPCNGHTTP2 GRPCProtobufCoding GRPCCore SwiftProtobuf \
        Foundation FoundationEssentials Glibc Synchronization
        """,
        "Journal": "LightningTypes GRDB GRDBSQLite Foundation Glibc Synchronization",
        "Terminal": "Glibc",
        // Schema.
        "BridgeProtocol": "SwiftProtobuf Foundation FoundationEssentials",
        // What every process has.
        "ServiceNotify": "Glibc Synchronization",
        "Settings": "ArgumentParser Foundation Glibc Yams",
        "CrashPoints": "Foundation Glibc Synchronization",
        "BusAddresses": "BridgeProtocol Glibc ZeroMQ",
        // Processes. The bridge knows envelope, manifest and money; tasks and prices are LCPCore's.
        "Bridge": """
        LightningTypes LightningCrypto BOLT11 LCPWire BridgeProtocol ZeroMQ GRPCNGHTTP2 LndRPC \
        Journal SwiftProtobuf DequeModule Logging ServiceLifecycle Foundation \
        FoundationEssentials Glibc Synchronization BusAddresses CrashPoints ServiceNotify
        """,
        "WorkerKit": """
        LightningTypes BOLT11 LCPWire LCPCore BridgeProtocol ZeroMQ SwiftProtobuf DequeModule \
        Logging ServiceLifecycle UnixSignals ArgumentParser Foundation FoundationEssentials \
        Synchronization BusAddresses CrashPoints ServiceNotify Settings
        """,
        "Compute": """
        LightningTypes LightningCrypto BridgeProtocol WorkerKit CGuard CLinux SwiftProtobuf \
        Logging Foundation FoundationEssentials Glibc CrashPoints OpenAIChat AsyncHTTPClient \
        NIOCore NIOHTTP1 Synchronization
        """,
        "BusClient": """
        LightningTypes BridgeProtocol ZeroMQ SwiftProtobuf FoundationEssentials Glibc \
        Synchronization BusAddresses
        """,
        "Gateway": """
        BridgeProtocol BusClient Conversation Foundation FoundationEssentials GRDB Glibc HTTPTypes \
        Hummingbird HummingbirdCore LCPWire LightningCrypto LightningTypes Logging NIOCore NIOHTTP1 \
        OpenAIChat ServiceLifecycle ServiceNotify Synchronization
        """,
        "LocalNetwork": """
        LightningTypes BridgeProtocol BusClient LndRPC GRPCNGHTTP2 CLinux FoundationEssentials \
        Glibc Synchronization
        """,
        "LndSim": """
        LightningTypes LightningCrypto BOLT11 LndRPC GRPCNGHTTP2 GRPCProtobufCoding NGHTTP2 \
        GRPCCore SwiftProtobuf HeapModule FoundationEssentials Glibc
        """,
        // Programs.
        "BuildInfo": "",
        "GitRevision": "PackagePlugin Foundation",
        "lcp": """
        LightningTypes LCPWire LCPInspector BridgeProtocol BusClient Journal LocalNetwork \
        BuildInfo ArgumentParser SwiftProtobuf UnixSignals FoundationEssentials Glibc \
        Synchronization BusAddresses CLinux Conversation Foundation GRPCNGHTTP2 LndRPC \
        Terminal ZeroMQ Settings AsyncHTTPClient NIOCore NIOHTTP1
        """,
        "lcp-bridge": """
        LightningTypes BOLT11 Bridge Journal LndRPC ZeroMQ BuildInfo ArgumentParser Logging \
        ServiceLifecycle UnixSignals Glibc BusAddresses ServiceNotify Settings
        """,
        "lcp-compute": """
        BridgeProtocol Compute WorkerKit BuildInfo ArgumentParser SwiftProtobuf Logging \
        Foundation ServiceNotify Settings
        """,
        "lcp-gateway": """
        ArgumentParser BuildInfo BusClient Foundation Gateway Glibc LightningTypes Logging \
        ServiceLifecycle ServiceNotify Settings UnixSignals
        """,
        "lcp-provider": "LCPCore BridgeProtocol WorkerKit BuildInfo ArgumentParser Settings",
        "lcp-requester": "LCPCore BridgeProtocol WorkerKit BuildInfo ArgumentParser Settings",
        "lcp-simnet": """
        LndSim GRPCNGHTTP2 GRPCCore ArgumentParser SwiftProtobuf UnixSignals Glibc
        """,
    ]

    /// Where nothing but values goes in and out.
    private static let pure = [
        "Sources/LightningTypes", "Sources/BOLT11", "Sources/LCPWire", "Sources/LCPCore",
        "Sources/Conversation", "Sources/LndSim/Network",
    ]

    /// Folders of Sources that hold Swift.
    private func modules() throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: SourceTree.root.appending(path: "Sources").path()
        )
        .filter { try !SourceTree.files(under: "Sources/\($0)", withSuffix: ".swift").isEmpty }
    }

    @Test func `a module imports what its row allows`() throws {
        #expect(try modules().sorted() == Self.allowed.keys.sorted())
        for (module, row) in Self.allowed {
            let allowed = Set(row.split(separator: " ").map(String.init))
            for path in try SourceTree.files(under: "Sources/\(module)", withSuffix: ".swift") {
                let imports = try #require(SourceFile.named(path)).imports
                let stray = Set(imports).subtracting(allowed)
                #expect(stray.isEmpty, "\(path) imports \(stray.sorted())")
            }
        }
    }

    @Test func `no process module but those that build on one imports another`() {
        let processes: Set = [
            "Bridge", "WorkerKit", "BusClient", "Compute", "Gateway", "LndSim",
        ]
        let builtOn = ["Compute": ["WorkerKit"], "Gateway": ["BusClient"]]
        for module in processes {
            let row = Self.allowed[module]?.split(separator: " ").map(String.init) ?? []
            let others = processes.intersection(row)
            #expect(others == Set(builtOn[module] ?? []), "\(module)")
        }
    }

    @Test func `pure folders import pure modules, and there are only a few libraries`() {
        let inward: Set = ["LightningTypes", "LightningCrypto", "BOLT11", "LCPWire", "HeapModule"]
        for folder in Self.pure {
            for file in SourceFile.written(under: folder) {
                #expect(Set(file.imports).isSubset(of: inward), "\(file.path)")
            }
        }
    }

    @Test func `pure modules open no socket, read no clock and draw no random number`() {
        // With the imports above nothing of the system is in reach but what Swift itself offers.
        let forbidden =
            #/
                SystemRandomNumberGenerator | ContinuousClock | SuspendingClock | \b Task \b
                | \b print \( | readLine | \. random \( (?! .* using: ) | \. randomElement \(\)
                | \. shuffled \(\)
            /#
        var files = 0
        for folder in Self.pure {
            for file in SourceFile.written(under: folder) {
                files += 1
                for (index, line) in file.lines.enumerated() {
                    let found = line.code.firstMatch(of: forbidden)
                    #expect(found == nil, "\(file.path):\(index + 1): \(line.code)")
                }
            }
        }
        #expect(files > 60)
    }

    @Test func `generated types of lnd stop at LndRPC`() {
        let generated = /\b(Lnrpc|Routerrpc|Invoicesrpc|Verrpc)_\w+/
        // The simulated network answers in the same words, from generated code of its own.
        for file in SourceFile.written(under: "Sources")
        where !file.path.hasPrefix("Sources/LndRPC/") && !file.path.hasPrefix("Sources/LndSim/") {
            for (index, line) in file.lines.enumerated() where line.code.contains("rpc_") {
                #expect(
                    line.code.firstMatch(of: generated) == nil,
                    "\(file.path):\(index + 1): \(line.code)"
                )
            }
        }
    }

    @Test func `the way out of a job's effects is one file of WorkerKit for each role`() {
        // LCPCore speaks LCP; only WorkerKit knows both its effects and the bus.
        for file in SourceFile.written(under: "Sources")
        where Set(file.imports).isSuperset(of: ["LCPCore", "BridgeProtocol"]) {
            let place = file.path
            #expect(
                place.hasPrefix("Sources/WorkerKit/") || place.hasPrefix("Sources/lcp-provider/")
                    || place.hasPrefix("Sources/lcp-requester/"),
                "\(place)"
            )
        }
    }
}
