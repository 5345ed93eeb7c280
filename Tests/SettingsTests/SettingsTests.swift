import ArgumentParser
import Testing

@testable import Settings

/// Which of several sources counts, and what is said about mistakes in them.
@Suite struct SettingsTests {
    private struct Arguments: ParsableArguments {
        @Option(help: "A file.") var config: String?
        @Option(help: "Where the journal is.") var journal: String
        @Option(help: "The most jobs.") var maxJobs = 5
        @Option(help: "The most jobs of a peer.") var maxJobsPerPeer = 2
        @Option(help: "Whom to serve.") var allow: [String] = []
        @Option(help: "A secret's file.") var secret: String?
        @Option(help: "The bus.") var busDir = "/run/lcp"
        @Flag(help: "Do nothing.") var dryRun = false
        @Argument(parsing: .postTerminator) var command: [String] = []
    }

    private static let plan: SettingsPlan = {
        var plan = SettingsPlan(program: "lcp-test")
        plan.keys = ["allow": "peers.allow"]
        plan.tables = ["peers.names"]
        plan.elsewhere = ["prices": "Prices are elsewhere."]
        plan.credentials = ["secret": "the-secret"]
        return plan
    }()

    private func settings(
        _ arguments: [String] = [],
        _ environment: [String: String] = [:],
        file: String? = nil
    ) throws(ConfigurationError) -> Settings {
        try Settings(
            DeclaredOption.all(of: Arguments.self),
            Self.plan,
            arguments: (file == nil ? [] : ["--config", "test.yaml"]) + arguments,
            sources: Settings.Sources(
                environment: environment,
                read: { path throws(ConfigurationError) in try .parse(file ?? "", file: path) },
                exists: { $0 == "/credentials/the-secret" }
            )
        )
    }

    private func said(_ name: String, _ settings: Settings) -> String? {
        settings.settings.first { $0.option.name == name }
            .map { "\($0.values.joined(separator: " ")) by \($0.origin)" }
    }

    @Test func `a flag goes before a variable, a variable before the file, that before defaults`()
        throws
    {
        let file = "journal: from-file\nmax_jobs: 7\n"
        let variable = ["LCP_TEST_JOURNAL": "from-variable"]
        let all = try settings(["--journal", "from-flag"], variable, file: file)
        #expect(said("journal", all) == "from-flag by flag")
        #expect(try Arguments.parse(all.arguments).journal == "from-flag")
        let two = try settings([], variable, file: file)
        #expect(said("journal", two) == "from-variable by environment LCP_TEST_JOURNAL")
        #expect(try Arguments.parse(two.arguments).journal == "from-variable")
        let one = try settings(file: file)
        #expect(said("journal", one) == "from-file by test.yaml:1")
        let parsed = try Arguments.parse(one.arguments)
        #expect(parsed.journal == "from-file")
        #expect(parsed.maxJobs == 7)
        #expect(said("max-jobs-per-peer", one) == "2 by default")
    }

    @Test func `every option of a program can be said in each of the three ways`() throws {
        let options = DeclaredOption.all(of: Arguments.self).filter { $0.kind == .option }
        #expect(options.count == 7)
        for option in options where option.name != "config" {
            let value = option.name.hasPrefix("max") ? "3" : "x"
            let key = try #require(Self.plan.key(option))
            let parts = key.split(separator: ".")
            let file =
                parts.count == 1 ? "\(key): \(value)" : "\(parts[0]):\n  \(parts[1]): \(value)"
            let variable = try #require(Self.plan.variables(option).first)
            for told in [
                try settings(["--\(option.name)=\(value)"]), try settings([], [variable: value]),
                try settings(file: file),
            ] {
                #expect(said(option.name, told)?.hasPrefix("\(value) by ") == true)
            }
        }
    }

    @Test func `the reference has a row for each option and for each table of the file`() {
        let table = OptionTable(DeclaredOption.all(of: Arguments.self), Self.plan).text
        #expect(
            table == """
                | flag | key | default | meaning |
                | --- | --- | --- | --- |
                | `--config config` |  |  | A file. |
                | `--journal journal` | `journal` | required | Where the journal is. |
                | `--max-jobs max-jobs` | `max_jobs` | `5` | The most jobs. |
                | `--max-jobs-per-peer max-jobs-per-peer` | `max_jobs_per_peer` | `2` | \
                The most jobs of a peer. |
                | `--allow allow` | `peers.allow` |  | Whom to serve. |
                | `--secret secret` | `secret` |  | A secret's file. |
                | `--bus-dir bus-dir` | `bus_dir` | `/run/lcp` | The bus. |
                | `--dry-run` | `dry_run` | `false` | Do nothing. |
                | `-- command` | `command` |  |  |
                |  | `peers.names` |  | In the file alone; see below. |

                """
        )
    }

    @Test func `of lists the strongest source counts alone`() throws {
        let file = "journal: j\npeers:\n  allow: [a, b]\n"
        #expect(try Arguments.parse(settings(file: file).arguments).allow == ["a", "b"])
        let variable = try settings([], ["LCP_TEST_ALLOW": "c,d"], file: file)
        #expect(try Arguments.parse(variable.arguments).allow == ["c", "d"])
        let flags = try settings(["--allow", "e", "--allow", "f"], ["LCP_TEST_ALLOW": "c"])
        #expect(said("allow", flags) == "e f by flag")
    }

    @Test func `flags, words after the terminator and shared variables come from files too`()
        throws
    {
        let file = "journal: j\ndry_run: true\ncommand: [tr, -d, x]\n"
        let parsed = try Arguments.parse(settings(file: file).arguments)
        #expect(parsed.dryRun)
        #expect(parsed.command == ["tr", "-d", "x"])
        let other = try Arguments.parse(settings(["--", "cat"], file: file).arguments)
        #expect(other.command == ["cat"])
        let shared = ["LCP_BUS_DIR": "/shared"]
        #expect(try said("bus-dir", settings([], shared)) == "/shared by environment LCP_BUS_DIR")
        let own = shared.merging(["LCP_TEST_BUS_DIR": "/own"]) { $1 }
        #expect(try said("bus-dir", settings([], own))?.hasPrefix("/own by") == true)
        // A variable that is empty is as good as none.
        #expect(try said("bus-dir", settings([], ["LCP_BUS_DIR": ""])) == "/run/lcp by default")
    }

    @Test func `a secret's path may be a credential of the service manager`() throws {
        let manager = ["CREDENTIALS_DIRECTORY": "/credentials"]
        let told = try settings(["--journal", "j"], manager)
        #expect(said("secret", told) == "/credentials/the-secret by credential the-secret")
        #expect(try Arguments.parse(told.arguments).secret == "/credentials/the-secret")
        #expect(
            try said("secret", settings([], manager, file: "secret: /mine"))
                == "/mine by test.yaml:1"
        )
        let absent = ["CREDENTIALS_DIRECTORY": "/elsewhere"]
        #expect(try said("secret", settings([], absent)) == " by default")
    }

    @Test(arguments: [
        ("jurnal: x", "test.yaml:1: unknown key jurnal. Known keys: "),
        ("\npeers:\n  alow: [x]", "test.yaml:3: unknown key peers.alow. Known keys: allow, names."),
        ("peers:\n  prices: 3", "test.yaml:2: unknown key peers.prices. Prices are elsewhere."),
        ("config: x", "test.yaml:1: unknown key config"),
        ("peers: 3", "test.yaml:1: peers must be a table"),
        ("journal:", "test.yaml:1: journal must have a value"),
        ("journal: [a, b]", "test.yaml:1: journal must be one value"),
        ("dry_run: yes", "test.yaml:1: dry_run must be true or false"),
        ("journal: {a: b}", "test.yaml:1: journal must have a value"),
    ])
    func `a mistake in a file is told with its line`(file: String, expected: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try settings(file: file) }
        #expect("\(error)".hasPrefix(expected), "\(error)")
    }

    @Test func `a variable of the program's that no option has is an error`() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try settings([], ["LCP_TEST_JURNAL": "x"])
        }
        #expect("\(error)".hasPrefix("unknown variable LCP_TEST_JURNAL"))
        _ = try settings([], ["LCP_OTHER_JURNAL": "x", "LCP_TESTS": "1"])
    }

    @Test func `an error of the parser is traced to the source that made it`() throws {
        let told = try settings([], ["LCP_TEST_MAX_JOBS_PER_PEER": "x"], file: "max_jobs: y")
        func culprit(_ option: String) -> Setting.Origin? {
            told.culprit(of: "The value is invalid for '\(option) <n>'")?.origin
        }
        #expect(culprit("--max-jobs") == .file("test.yaml:1"))
        #expect(culprit("--max-jobs-per-peer") == .environment("LCP_TEST_MAX_JOBS_PER_PEER"))
        #expect(culprit("--journal") == nil)
    }

    @Test func `what is shown is a file that says the same`() throws {
        let file = "journal: \"a: #b\"\npeers:\n  names: {x: y}\n  allow: [a, b]\ndry_run: true\n"
        let told = try settings(["--max-jobs", "9"], file: file)
        let text = told.text(hasOrigins: true)
        #expect(text.contains("max_jobs: 9  # flag\n"))
        #expect(text.contains("peers:\n  allow: [a, b]  # test.yaml:4\n"))
        #expect(text.contains("# peers.names: see test.yaml:3\n"))
        let again = try settings(file: told.text(hasOrigins: false))
        for (first, second) in zip(told.settings, again.settings) {
            #expect(first.values == second.values)
        }
    }
}
