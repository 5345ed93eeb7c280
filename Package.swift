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
