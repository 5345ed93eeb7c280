// swift-tools-version: 6.2
import PackageDescription

// MARK: - Settings every target of ours shares

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// MARK: - Package

let package = Package(
    name: "lcp",
    products: [
        .executable(name: "lcp", targets: ["lcp"]),
        .executable(name: "lcp-bridge", targets: ["lcp-bridge"]),
        .executable(name: "lcp-compute", targets: ["lcp-compute"]),
        .executable(name: "lcp-gateway", targets: ["lcp-gateway"]),
        .executable(name: "lcp-provider", targets: ["lcp-provider"]),
        .executable(name: "lcp-requester", targets: ["lcp-requester"]),
        .executable(name: "lcp-simnet", targets: ["lcp-simnet"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        // Tests only: the default build leaves them out.
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // System libraries: a module map and a shim header, nothing else.
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSecp256k1", providers: [.apt(["libsecp256k1-dev"])]),
        .systemLibrary(name: "CGuard"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CNGHTTP2", providers: [.apt(["libnghttp2-dev"])]),
        // No pkg-config name: Debian's libzmq.pc carries a flag that SwiftPM prohibits.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),

        // Values.
        .target(name: "LightningTypes", swiftSettings: swiftSettings),
        .target(
            name: "LightningCrypto",
            dependencies: ["LightningTypes", "COpenSSL", "CSecp256k1"],
            swiftSettings: swiftSettings
        ),

        // Where a debug build of a process kills itself for a test.
        .target(name: "CrashPoints", swiftSettings: swiftSettings),

        // Pure: no I/O.
        .target(
            name: "BOLT11",
            dependencies: ["LightningTypes", "LightningCrypto"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "LCPWire",
            dependencies: ["LightningTypes", "LightningCrypto"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "LCPCore",
            dependencies: ["BOLT11", "LCPWire", "LightningTypes"],
            swiftSettings: swiftSettings
        ),

        .target(name: "Conversation", swiftSettings: swiftSettings),
        .target(name: "OpenAIChat", swiftSettings: swiftSettings),
        .target(name: "Terminal", swiftSettings: swiftSettings),

        // What the command line shows of messages and invoices.
        .target(
            name: "LCPInspector",
            dependencies: ["BOLT11", "LCPWire", "LightningCrypto", "LightningTypes"],
            swiftSettings: swiftSettings
        ),

        // Bindings.
        .target(name: "NGHTTP2", dependencies: ["CNGHTTP2"], swiftSettings: swiftSettings),
        .target(name: "ZeroMQ", dependencies: ["CZeroMQ"], swiftSettings: swiftSettings),

        // Transport.
        .target(
            name: "GRPCProtobufCoding",
            dependencies: [
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "LndRPC",
            dependencies: [
                "GRPCNGHTTP2", "GRPCProtobufCoding", "LightningCrypto", "LightningTypes",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Protos", "Generated/schema.sha256"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "GRPCNGHTTP2",
            dependencies: [
                "LightningTypes", "NGHTTP2", "CLinux", "COpenSSL",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Journal",
            dependencies: [
                "LightningTypes",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings
        ),

        // Schema.
        .target(
            name: "BridgeProtocol",
            dependencies: [
                "LightningTypes",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Generated/schema.sha256"],
            swiftSettings: swiftSettings
        ),

        .target(
            name: "BusAddresses",
            dependencies: ["BridgeProtocol", "ZeroMQ"],
            swiftSettings: swiftSettings
        ),
        // What every process has: its configuration, and its word to the service manager.
        .target(
            name: "Settings",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(name: "ServiceNotify", swiftSettings: swiftSettings),

        // Processes.
        .target(
            name: "Bridge",
            dependencies: [
                "BOLT11", "BridgeProtocol", "BusAddresses", "CrashPoints", "GRPCNGHTTP2", "Journal",
                "LCPWire", "LightningCrypto", "LightningTypes", "LndRPC", "ServiceNotify", "ZeroMQ",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "WorkerKit",
            dependencies: [
                "BOLT11", "BridgeProtocol", "BusAddresses", "CrashPoints", "LCPCore", "LCPWire",
                "LightningTypes", "ServiceNotify", "Settings", "ZeroMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            exclude: ["Generated/schema.sha256"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Compute",
            dependencies: [
                "BridgeProtocol", "CGuard", "CLinux", "CrashPoints", "LightningCrypto",
                "LightningTypes", "OpenAIChat", "WorkerKit",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BusClient",
            dependencies: [
                "BridgeProtocol", "BusAddresses", "LightningTypes", "ZeroMQ",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "BridgeProtocol", "BusClient", "Conversation", "LCPWire", "LightningCrypto",
                "LightningTypes", "OpenAIChat", "ServiceNotify",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "LocalNetwork",
            dependencies: [
                "BridgeProtocol", "BusClient", "CLinux", "GRPCNGHTTP2", "LightningTypes", "LndRPC",
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "LndSim",
            dependencies: [
                "BOLT11", "LightningTypes", "LightningCrypto", "LndRPC", "GRPCNGHTTP2",
                "GRPCProtobufCoding", "NGHTTP2",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Protos", "Generated/schema.sha256"],
            swiftSettings: swiftSettings
        ),

        // Programs.
        .plugin(name: "GitRevision", capability: .buildTool(), path: "Sources/GitRevision"),
        .target(name: "BuildInfo", swiftSettings: swiftSettings, plugins: ["GitRevision"]),
        .executableTarget(
            name: "lcp",
            dependencies: [
                "BridgeProtocol", "BuildInfo", "BusAddresses", "BusClient", "CLinux",
                "Conversation", "GRPCNGHTTP2", "Journal", "LCPInspector", "LCPWire",
                "LightningTypes", "LndRPC", "LocalNetwork", "Settings", "Terminal", "ZeroMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-bridge",
            dependencies: [
                "BOLT11", "Bridge", "BuildInfo", "BusAddresses", "Journal", "LightningTypes",
                "LndRPC", "ServiceNotify", "Settings", "ZeroMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-compute",
            dependencies: [
                "BridgeProtocol", "BuildInfo", "Compute", "ServiceNotify", "Settings", "WorkerKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-gateway",
            dependencies: [
                "BuildInfo", "BusClient", "Gateway", "LightningTypes", "ServiceNotify", "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-simnet",
            dependencies: [
                "LndSim", "GRPCNGHTTP2",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),

        .executableTarget(
            name: "lcp-provider",
            dependencies: [
                "BridgeProtocol", "BuildInfo", "LCPCore", "ServiceNotify", "Settings", "WorkerKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-requester",
            dependencies: [
                "BridgeProtocol", "BuildInfo", "LCPCore", "ServiceNotify", "Settings", "WorkerKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),

        // Tests.
        .target(name: "LCPTesting", path: "Tests/LCPTesting", swiftSettings: swiftSettings),
        .testTarget(
            name: "ConversationTests",
            dependencies: ["Conversation", "LCPTesting"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "OpenAIChatTests",
            dependencies: ["LCPTesting", "OpenAIChat"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "BridgeProtocol", "BusClient", "Conversation", "Gateway", "LCPTesting",
                "LightningCrypto", "LightningTypes", "LocalNetwork", "OpenAIChat",
                "ScriptedBridge", "ServiceNotify",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TerminalTests",
            dependencies: ["LCPTesting", "Terminal"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ScenarioTests",
            dependencies: [
                "BOLT11", "Bridge", "BridgeProtocol", "Journal", "LCPCore", "LCPTesting", "LCPWire",
                "LightningCrypto", "LightningTypes", "WorkerKit",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BridgeTests",
            dependencies: [
                "BOLT11", "Bridge", "BridgeProtocol", "GRPCNGHTTP2", "Journal", "LCPTesting",
                "LCPWire", "LightningCrypto", "LightningTypes", "LndRPC", "LndSim", "ZeroMQ",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BOLT11Tests",
            dependencies: ["BOLT11", "LightningTypes", "LightningCrypto", "LCPTesting"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "ScriptedBridge",
            dependencies: [
                "BridgeProtocol", "LCPWire", "ZeroMQ",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/ScriptedBridge",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BusAddressesTests",
            dependencies: ["BridgeProtocol", "BusAddresses", "ZeroMQ"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BusClientTests",
            dependencies: [
                "BridgeProtocol", "BusClient", "LightningTypes", "ScriptedBridge",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BridgeProtocolTests",
            dependencies: [
                "BridgeProtocol", "LightningTypes",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LCPCoreTests",
            dependencies: [
                "BOLT11", "LCPCore", "LCPTesting", "LCPWire", "LightningCrypto", "LightningTypes",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LCPInspectorTests",
            dependencies: ["LCPInspector", "LCPTesting"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LCPWireTests",
            dependencies: [
                "LCPInspector", "LCPTesting", "LCPWire", "LightningCrypto", "LightningTypes",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LightningCryptoTests",
            dependencies: ["LightningTypes", "LightningCrypto", "LCPTesting"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LightningTypesTests",
            dependencies: ["LightningTypes", "LightningCrypto"],
            swiftSettings: swiftSettings
        ),
        // What must be true of a market, whatever was killed in it.
        .target(
            name: "MarketAudit",
            dependencies: [
                "BridgeProtocol", "BusClient", "Journal", "LightningTypes", "LocalNetwork",
            ],
            path: "Tests/MarketAudit",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "chaos",
            dependencies: [
                "BridgeProtocol", "BusClient", "LCPTesting", "LCPWire", "LightningCrypto",
                "LightningTypes", "LocalNetwork", "MarketAudit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Chaos",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ProcessTests",
            dependencies: [
                "Bridge", "BridgeProtocol", "BusClient", "CrashPoints", "Journal", "LCPTesting",
                "LCPWire", "LightningTypes", "LocalNetwork", "MarketAudit", "ScriptedBridge",
                "WorkerKit", "ZeroMQ", "bus-peer", "bus-worker", "chaos", "journal-writer", "lcp",
                "lcp-bridge", "lcp-compute", "lcp-gateway", "lcp-provider", "lcp-requester",
                "lcp-simnet",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "BOLT11", "BridgeProtocol", "BusAddresses", "BusClient", "GRPCNGHTTP2", "LCPWire",
                "LightningCrypto", "LightningTypes", "LndRPC", "LocalNetwork", "OpenAIChat",
                "ScriptedOpenAI", "ZeroMQ", "lcp", "lcp-bridge", "lcp-compute", "lcp-gateway",
                "lcp-provider", "lcp-requester", "lcp-simnet",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["litellm.py"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LndRPCTests",
            dependencies: [
                "GRPCNGHTTP2", "GRPCProtobufCoding", "LightningCrypto", "LightningTypes", "LndRPC",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCInProcessTransport", package: "grpc-swift-2"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "SourceTests",
            dependencies: ["LightningTypes", "LightningCrypto"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "SettingsTests",
            dependencies: [
                "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ServiceNotifyTests",
            dependencies: ["ServiceNotify"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "SystemdTests",
            dependencies: [
                "LocalNetwork", "lcp", "lcp-bridge", "lcp-compute", "lcp-gateway", "lcp-provider",
                "lcp-requester", "lcp-simnet",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["sandbox.py"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NGHTTP2Tests",
            dependencies: ["NGHTTP2", "CNGHTTP2"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "GRPCNGHTTP2Tests",
            dependencies: [
                "GRPCNGHTTP2", "NGHTTP2", "LightningTypes", "COpenSSL",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LndSimTests",
            dependencies: [
                "LndSim", "LndRPC", "GRPCNGHTTP2", "BOLT11", "LightningTypes", "LightningCrypto",
                "LCPTesting",
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "InteropControl",
            dependencies: [
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/InteropControl",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-grpc-peer",
            dependencies: [
                "GRPCNGHTTP2", "InteropControl", "NGHTTP2",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
            ],
            path: "Tests/InteropPeer",
            swiftSettings: swiftSettings
        ),
        // The bridge's side of a worker's sockets, for tests of workers.
        .target(
            name: "ScriptedBus",
            dependencies: [
                "BridgeProtocol", "ZeroMQ",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/ScriptedBus",
            swiftSettings: swiftSettings
        ),
        // A server of OpenAI's interface, for tests of what asks one.
        .target(
            name: "ScriptedOpenAI",
            dependencies: [
                "OpenAIChat",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/ScriptedOpenAI",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ComputeTests",
            dependencies: [
                "BridgeProtocol", "BuildInfo", "Compute", "GRPCNGHTTP2", "LightningTypes",
                "OpenAIChat", "ScriptedBus", "ScriptedOpenAI", "WorkerKit", "lcp-compute",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WorkerSessionTests",
            dependencies: [
                "BridgeProtocol", "LCPTesting", "LightningTypes", "ScriptedBus", "WorkerKit",
                "ZeroMQ",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "GRPCNGHTTP2", "InteropControl", "LightningCrypto", "LightningTypes", "LndRPC",
                "lcp", "lcp-bridge", "lcp-compute", "lcp-gateway", "lcp-grpc-peer", "lcp-provider",
                "lcp-requester", "lcp-simnet",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Python"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: [
                "Journal", "LCPTesting", "LightningTypes",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WorkerKitTests",
            dependencies: [
                "BOLT11", "BridgeProtocol", "LCPCore", "LCPTesting", "LCPWire", "LightningCrypto",
                "LightningTypes", "Settings", "WorkerKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),
        // What fuzzing runs, and what its corpus is replayed through.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "BOLT11", "BridgeProtocol", "GRPCNGHTTP2", "LCPCore", "LCPWire", "LightningCrypto",
                "LightningTypes", "NGHTTP2", "Settings", "WorkerKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/Fuzz/Targets",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzTargets"],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "journal-writer",
            dependencies: ["Journal", "LightningTypes"],
            path: "Tests/JournalWriter",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "bus-peer",
            dependencies: ["ZeroMQ"],
            path: "Tests/BusPeer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "bus-worker",
            dependencies: [
                "BridgeProtocol", "ZeroMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/BusWorker",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ZeroMQTests",
            dependencies: ["CZeroMQ", "ZeroMQ"],
            swiftSettings: swiftSettings
        ),
    ]
)

// MARK: - Benchmarks, for those who ask with LCP_DEV=1

if Context.environment["LCP_DEV"] == "1" {
    package.targets += [
        // How figures are printed that the runner compares with the stored ones.
        .target(
            name: "BenchmarkReport",
            path: "Tests/Benchmarks/Report",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "market-benchmark",
            dependencies: [
                "BenchmarkReport", "BridgeProtocol", "BusClient", "LCPWire", "LightningTypes",
                "LocalNetwork", "lcp", "lcp-bridge", "lcp-compute", "lcp-provider",
                "lcp-requester", "lcp-simnet",
            ],
            path: "Tests/Benchmarks/Market",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "gateway-benchmark",
            dependencies: [
                "BenchmarkReport", "BridgeProtocol", "BusClient", "LCPWire", "LightningTypes",
                "LocalNetwork", "lcp-bridge", "lcp-compute", "lcp-gateway", "lcp-provider",
                "lcp-requester", "lcp-simnet",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/Benchmarks/Gateway",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-benchmarks",
            dependencies: [
                "BenchmarkReport", "BOLT11", "COpenSSL", "Journal", "LCPTesting", "LCPWire",
                "LightningCrypto",
                "LightningTypes", "ZeroMQ", "zeromq-reference",
            ],
            path: "Tests/Benchmarks/Ratios",
            swiftSettings: swiftSettings
        ),
        // What plain C gets out of libzmq, for the ratios.
        .executableTarget(
            name: "zeromq-reference",
            path: "Tests/Benchmarks/ZeroMQReference",
            linkerSettings: [.linkedLibrary("zmq")]
        ),
        .executableTarget(
            name: "dispatch-benchmark",
            dependencies: [
                "BenchmarkReport", "Bridge", "BridgeProtocol", "Journal", "LCPTesting",
                "LightningTypes", "ZeroMQ", "bus-worker",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Benchmarks/Dispatch",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "bridge-benchmark",
            dependencies: [
                "BenchmarkReport", "BridgeProtocol", "BusClient", "Journal", "LCPWire",
                "LightningTypes", "LndSim", "LocalNetwork", "ZeroMQ", "bus-worker", "lcp-bridge",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Tests/Benchmarks/Bridge",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "lcp-grpc-bench",
            dependencies: [
                "BenchmarkReport", "GRPCNGHTTP2", "InteropControl", "LightningTypes",
                "lcp-grpc-peer",
            ],
            path: "Tests/Benchmarks/GRPC",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "simnet-benchmark",
            dependencies: [
                "BenchmarkReport", "GRPCNGHTTP2", "LightningTypes", "LndRPC", "LocalNetwork",
                "lcp-simnet",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Benchmarks/Simnet",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "worker-benchmark",
            dependencies: [
                "BenchmarkReport", "BridgeProtocol", "LightningCrypto", "ScriptedBus", "WorkerKit",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/Benchmarks/Workers",
            swiftSettings: swiftSettings
        ),
    ]
}

// MARK: - The fuzzer, which links only as `Tests/run --fuzz` builds it

if Context.environment["LCP_FUZZ"] == "1" {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .executableTarget(
            name: "lcp-fuzz",
            dependencies: ["CFuzzer", "FuzzTargets"],
            path: "Tests/Fuzz/Driver",
            swiftSettings: swiftSettings
        ),
    ]
}

// MARK: - One target and what it needs, for those who ask with LCP_ONLY=ScenarioTests

if let wanted = Context.environment["LCP_ONLY"] {
    var needed: Set = [wanted]
    var waiting = [wanted]
    while let name = waiting.popLast() {
        for target in package.targets where target.name == name {
            for case .byNameItem(let name, _) in target.dependencies
            where needed.insert(name).inserted { waiting.append(name) }
        }
    }
    package.products = []
    package.targets.removeAll { $0.type != .plugin && !needed.contains($0.name) }
}
