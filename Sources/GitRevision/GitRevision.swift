import Foundation
import PackagePlugin

/// Writes the commit of the checkout into a source file, again after every commit or checkout.
///
/// `Context.gitInformation` in the manifest would be shorter, but SwiftPM caches the manifest and
/// goes on printing the commit of the first build.
@main
struct GitRevision: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) -> [Command] {
        let output = context.pluginWorkDirectoryURL.appending(path: "GitRevision.swift")
        let root = context.package.directoryURL
        let reflog = root.appending(path: ".git/logs/HEAD")
        let script = """
            revision=$(git -C "$1" rev-parse --short=12 HEAD 2>/dev/null) || revision=unknown
            printf 'let gitRevision = "%s"\\n' "$revision" >"$2"
            """
        return [
            .buildCommand(
                displayName: "Reading the git revision",
                executable: URL(filePath: "/bin/sh"),
                arguments: ["-c", script, "sh", root.path(), output.path()],
                inputFiles: FileManager.default.fileExists(atPath: reflog.path()) ? [reflog] : [],
                outputFiles: [output]
            )
        ]
    }
}
