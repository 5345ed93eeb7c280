// swift-tools-version: 6.2
import PackageDescription

// The generators of the committed Swift code, in a package of their own: the product's build
// must neither compile them nor depend on them. `generate` beside this file runs them.
let package = Package(
    name: "code-generation",
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", exact: "2.4.1"),
    ]
)
