import Foundation
import Subprocess
import SystemPackage
import Testing

/// The journal on a volume that is really full: a small tmpfs in a mount namespace of its own.
///
/// `DiskTests` has the same with a limit on file sizes, which needs no rights.
@Suite(.timeLimit(.minutes(10))) struct FullVolumeTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// Whether this user may mount a tmpfs that nobody else sees, and how.
    private static func namespace() async -> [String]? {
        for options in [["--mount"], ["--map-root-user", "--mount"]] {
            let result = try? await Subprocess.run(
                .name("unshare"),
                arguments: Arguments(options + ["mount", "-t", "tmpfs", "lcp", "/mnt"]),
                output: .discarded,
                error: .discarded
            )
            if result?.terminationStatus == .exited(0) { return options }
        }
        return nil
    }

    @Test(.enabled("this user may not mount a tmpfs in a namespace") { await namespace() != nil })
    func `a full volume refuses steps, loses none, and takes them again once there is room`()
        async throws
    {
        let outcome = try await onFullVolume(
            #"exec "$2" "$1/journal" fill "$1/ballast""#,
            program: "journal-writer"
        )
        #expect(outcome.status == .exited(0), "\(outcome.errors)")
        let report = try #require(try outcome.lines().first)
        let kept = try #require(report["kept"] as? Int)
        #expect(kept > 3)
        #expect(report["refusals"] as? [String] == Array(repeating: "diskFull", count: 5))
        #expect(report["intact"] as? Int == kept + 1)
        #expect(report["open"] as? Int == kept + 1)
        #expect(report["findings"] as? [String] == [])
    }

    @Test(.enabled("this user may not mount a tmpfs in a namespace") { await namespace() != nil })
    func `a copy that does not fit exits 74 and leaves nothing behind`() async throws {
        let journal = folder.path + "/journal"
        let held = try await Subprocess.run(
            Program(name: "journal-writer").executable,
            arguments: [journal, "hold"],
            output: .discarded,
            error: .discarded
        )
        try #require(held.terminationStatus == .exited(0))
        let outcome = try await onFullVolume(
            """
            head -c 2100000 /dev/zero > "$1/more" 2>/dev/null
            "$2" journal backup --json "$3" "$1/copy"
            echo "exit $?"
            ls "$1"
            """,
            program: "lcp",
            journal
        )
        #expect(outcome.output == "exit 74\nballast\nmore\n")
        #expect(outcome.errors.contains(#""code":"disk-full""#), "\(outcome.errors)")
    }

    /// Runs a script with `$1` a volume of 3 MiB, one of them taken by the file `ballast`, `$2` a
    /// program of ours, and further arguments.
    private func onFullVolume(
        _ script: String,
        program: String,
        _ arguments: String...
    ) async throws -> Program.Outcome {
        let options = try #require(await Self.namespace())
        let volume = folder.path + "/volume"
        try FileManager.default.createDirectory(
            atPath: volume,
            withIntermediateDirectories: false
        )
        let prepare = """
            mount -t tmpfs -o size=3m,mode=700 lcp "$1" || exit 99
            head -c 1048576 /dev/zero > "$1/ballast"
            """
        return try await Program.run(
            .name("unshare"),
            options + ["sh", "-c", "\(prepare)\n\(script)", "sh", volume]
                + [Program(name: program).path] + arguments
        )
    }
}
