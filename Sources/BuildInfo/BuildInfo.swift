/// What this build is; the one place where the version stands.
package enum BuildInfo {
    /// The version of the whole package, by semver.org.
    package static let version = "0.1.0"

    /// The commit it was built from: 12 hex digits, or `unknown` outside a git checkout.
    package static let revision = gitRevision

    /// What `--version` prints: `0.1.0 (c605cab03f1e)`.
    package static let description = "\(version) (\(revision))"
}
