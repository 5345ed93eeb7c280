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
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        // Tests only: the default build leaves it out.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // System libraries: a module map and a shim header, nothing else.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CNGHTTP2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSecp256k1", providers: [.apt(["libsecp256k1-dev"])]),

        // Values.
        .target(name: "LightningTypes", swiftSettings: swiftSettings),
        .target(
            name: "LightningCrypto",
            dependencies: ["LightningTypes", "COpenSSL", "CSecp256k1"],
            swiftSettings: swiftSettings
        ),

        // Bindings.
        .target(name: "NGHTTP2", dependencies: ["CNGHTTP2"], swiftSettings: swiftSettings),

        // Transports.
        .target(
            name: "GRPCNGHTTP2",
            dependencies: [
                "LightningTypes", "NGHTTP2", "CLinux", "COpenSSL",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
            ],
            swiftSettings: swiftSettings
        ),

        // Programs.
        .plugin(name: "GitRevision", capability: .buildTool(), path: "Sources/GitRevision"),
        .executableTarget(
            name: "lcp",
            dependencies: [
                "LightningTypes", "LightningCrypto",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings,
            plugins: ["GitRevision"]
        ),

        // Tests.
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
        .testTarget(
            name: "InteropTests",
            dependencies: ["GRPCNGHTTP2", "InteropControl", "LightningTypes", "lcp-grpc-peer"],
            exclude: ["Python"],
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
            name: "LightningTypesTests",
            dependencies: ["LightningTypes", "LightningCrypto"],
            swiftSettings: swiftSettings
        ),
    ]
)

// MARK: - Benchmarks, for those who ask with LCP_DEV=1

if Context.environment["LCP_DEV"] == "1" {
    package.targets += [
        .executableTarget(
            name: "lcp-grpc-bench",
            dependencies: ["GRPCNGHTTP2", "InteropControl", "LightningTypes", "lcp-grpc-peer"],
            path: "Tests/Benchmarks/GRPC",
            swiftSettings: swiftSettings
        )
    ]
}
