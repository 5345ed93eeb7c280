/// A version of lnd, as numbers (`GetVersion`): what to decide by when versions differ.
package struct LndVersion: Hashable, Sendable {
    /// Zero so far.
    package var major: UInt32
    /// What grows with each release of new functions.
    package var minor: UInt32
    /// What grows with each release of repairs.
    package var patch: UInt32

    /// Makes a version.
    package init(_ major: UInt32, _ minor: UInt32, _ patch: UInt32) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads the numbers that `GetInfo`'s version begins with: `0.20.1-beta commit=v0.20.1-beta`.
    ///
    /// Nil when it does not begin with three numbers.
    package init?(text: String) {
        let numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".")
        guard numbers.count >= 3, let major = UInt32(numbers[0]), let minor = UInt32(numbers[1]),
            let patch = UInt32(numbers[2])
        else { return nil }
        self.init(major, minor, patch)
    }

    /// The oldest version whose payment errors can be told apart by their status.
    package static let minimum = LndVersion(0, 18, 0)
}

extension LndVersion: Comparable, CustomStringConvertible {
    /// Older versions come first.
    package static func < (left: LndVersion, right: LndVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// As in `0.20.1`.
    package var description: String { "\(major).\(minor).\(patch)" }
}

/// The build of a running lnd (`GetVersion`).
package struct LndBuild: Equatable, Sendable {
    /// The version as numbers.
    package var version: LndVersion
    /// What follows the numbers, as in `beta.rc1`; may be empty.
    package var preRelease: String
    /// The tag or commit of the build.
    package var commit: String
    /// Build tags; release builds list `routerrpc`, `invoicesrpc` and others here.
    package var tags: [String]
}

extension LndBuild {
    init(_ version: Verrpc_Version) {
        self.version = LndVersion(version.appMajor, version.appMinor, version.appPatch)
        preRelease = version.appPreRelease
        commit = version.commit
        tags = version.buildTags
    }
}
