import Glibc

/// Why a program can't be run at all.
package struct ExecError: Error, Equatable, Sendable {
    /// What happened, naming the program.
    package var detail: String
}

extension ExecError: CustomStringConvertible {
    /// Detail and advice in one line.
    package var description: String {
        "\(detail). Name a program after `--`, as a path or as a name to find in PATH."
    }
}

/// Finds the file of a program as a shell does.
enum ProgramSearch {
    static func find(_ command: [String], path: String?) throws(ExecError) -> String {
        guard let name = command.first, !name.isEmpty else {
            throw ExecError(detail: "no program was given")
        }
        guard !command.contains(where: { $0.utf8.contains(0) }) else {
            throw ExecError(detail: "an argument contains a zero byte")
        }
        if name.contains("/") {
            guard isExecutable(name) else {
                throw ExecError(detail: "\(name) is not a program this user may execute")
            }
            return name
        }
        for directory in (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
            let file = "\(directory)/\(name)"
            if isExecutable(file) { return file }
        }
        throw ExecError(detail: "\(name) is not in PATH")
    }

    private static func isExecutable(_ file: String) -> Bool {
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return access(file, X_OK) == 0
    }
}
