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
        .executable(name: "lcp", targets: ["lcp"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Tests only: the default build leaves it out.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // System libraries: a module map and a shim header, nothing else.
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSecp256k1", providers: [.apt(["libsecp256k1-dev"])]),
        // No pkg-config name: Debian's libzmq.pc carries a flag that SwiftPM prohibits.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),

        // Values.
        .target(name: "LightningTypes", swiftSettings: swiftSettings),
        .target(
            name: "LightningCrypto",
            dependencies: ["LightningTypes", "COpenSSL", "CSecp256k1"],
            swiftSettings: swiftSettings
        ),

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
            dependencies: ["LightningTypes"],
            swiftSettings: swiftSettings
        ),

        // Bindings.
        .target(name: "ZeroMQ", dependencies: ["CZeroMQ"], swiftSettings: swiftSettings),

        // What the command line shows of messages and invoices.
        .target(
            name: "LCPInspector",
            dependencies: ["BOLT11", "LCPWire", "LightningCrypto", "LightningTypes"],
            swiftSettings: swiftSettings
        ),

        // Programs.
        .plugin(name: "GitRevision", capability: .buildTool(), path: "Sources/GitRevision"),
        .target(name: "BuildInfo", swiftSettings: swiftSettings, plugins: ["GitRevision"]),
        .executableTarget(
            name: "lcp",
            dependencies: [
                "BuildInfo", "LCPInspector", "LCPWire", "LightningTypes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),

        // Tests.
        .target(name: "LCPTesting", path: "Tests/LCPTesting", swiftSettings: swiftSettings),
        .executableTarget(
            name: "bus-peer",
            dependencies: ["ZeroMQ"],
            path: "Tests/BusPeer",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BOLT11Tests",
            dependencies: ["BOLT11", "LightningTypes", "LightningCrypto", "LCPTesting"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LCPCoreTests",
            dependencies: ["LCPCore", "LCPTesting", "LightningTypes"],
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
        .testTarget(
            name: "ZeroMQTests",
            dependencies: ["CZeroMQ", "ZeroMQ"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "ProcessTests",
            dependencies: [
                "LCPTesting", "ZeroMQ", "bus-peer", "lcp",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: swiftSettings
        ),
    ]
)

// MARK: - Benchmarks and fuzz targets, for those who ask with LCP_DEV=1

if Context.environment["LCP_DEV"] == "1" {
    package.targets += [
        .executableTarget(
            name: "lcp-benchmarks",
            dependencies: [
                "BOLT11", "COpenSSL", "LCPTesting", "LCPWire", "LightningCrypto", "LightningTypes",
                "ZeroMQ", "zeromq-reference",
            ],
            path: "Tests/Benchmarks",
            swiftSettings: swiftSettings
        ),
        // What plain C gets out of libzmq, for the ratios.
        .executableTarget(
            name: "zeromq-reference",
            path: "Tests/ZeroMQReference",
            linkerSettings: [.linkedLibrary("zmq")]
        ),
    ]
}
