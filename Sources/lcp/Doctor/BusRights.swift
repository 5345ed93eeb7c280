import Glibc

/// Who may open which endpoint of the bus: the rights are those of its folders.
struct BusRights {
    let directory: String

    private struct Folder {
        var name: String
        /// What somebody can do who may enter it.
        var right: String
        /// Whether strangers in it are worse than curious.
        var isDangerous: Bool
    }

    private static let folders = [
        Folder(name: "control", right: "spend money and read results", isDangerous: true),
        Folder(name: "requester", right: "decide what is paid", isDangerous: true),
        Folder(name: "provider", right: "decide what is sold", isDangerous: true),
        Folder(name: "compute", right: "read prompts and answer them", isDangerous: true),
        Folder(name: "feed/messages", right: "read prompts and results", isDangerous: true),
        Folder(name: "feed/events", right: "see jobs and payments", isDangerous: false),
        Folder(name: "query", right: "see jobs and payments", isDangerous: false),
    ]

    /// Looks at every folder.
    func findings() -> [Finding] {
        guard let mode = Self.mode(of: directory) else {
            return [
                .problem(
                    "bus.directory",
                    "there is no directory \(directory)",
                    fix: "lcp-bridge --bus-dir \(directory) …, or lcp doctor --bus-dir DIR"
                )
            ]
        }
        guard access(directory, X_OK) == 0 else {
            return [
                .problem(
                    "bus.directory",
                    "this user may not enter \(directory)",
                    fix: "sudo usermod --append --groups GROUP \(Self.user), and log in again"
                )
            ]
        }
        let open = mode & 0o001 == 0 ? [] : Self.folders.compactMap { openness(of: $0) }
        return open.isEmpty
            ? [.ok("bus.directory", "\(directory) is closed to strangers")] : open
    }

    /// What is wrong with a folder that everybody may enter.
    private func openness(of folder: Folder) -> Finding? {
        let path = "\(directory)/\(folder.name)"
        guard let mode = Self.mode(of: path), mode & 0o001 != 0 else { return nil }
        return .wrong(
            "bus.\(folder.name)",
            "every user of this machine may enter \(path) and so \(folder.right)",
            fix: "chmod o-rwx \(path)",
            ifProblem: folder.isDangerous
        )
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return status.st_mode
    }

    private static var user: String {
        getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "USER"
    }
}
