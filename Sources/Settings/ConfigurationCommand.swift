package import ArgumentParser

/// `config`: what a program would run with, and whether it could.
package struct ConfigurationCommand<Program: ConfiguredProgram>: ParsableCommand {
    static var name: String { "config" }
    static var reference: String { "reference" }

    /// What the parser wants to know.
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: name,
            _superCommandName: Program.plan.program,
            abstract: "Check or show the configuration.",
            discussion: """
                Every option can be a flag, a variable, or a key of the file that --config names; \
                flags go before variables, variables before the file. --bus-dir is \
                \(Program.plan.prefix)BUS_DIR and bus_dir. Of options that repeat, the strongest \
                source counts alone; a variable separates them with commas.
                """,
            subcommands: [Check.self, Show.self, Reference.self]
        )
    }

    /// Made by the parser.
    package init() {}

    /// `config check`.
    package struct Check: ParsableCommand {
        /// What the parser wants to know.
        package static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "check",
                abstract: "Look at everything a start looks at, and start nothing."
            )
        }

        @OptionGroup(title: "What is checked") var program: Program

        /// Made by the parser.
        package init() {}
    }

    /// `config show`.
    package struct Show: ParsableCommand {
        /// What the parser wants to know.
        package static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "show",
                abstract: "Print every option's value, as a configuration file."
            )
        }

        @Flag(help: "Say where each value comes from.")
        var origin = false

        @OptionGroup(title: "What is shown") var program: Program

        /// Made by the parser.
        package init() {}
    }

    /// `config reference`.
    package struct Reference: ParsableCommand {
        /// What the parser wants to know.
        package static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: reference,
                abstract: "Print every option with its key and its default, as a Markdown table."
            )
        }

        /// Made by the parser.
        package init() {}

        /// Prints it.
        package func run() {
            let table = OptionTable(DeclaredOption.all(of: Program.self), Program.plan)
            print(table.text, terminator: "")
        }
    }
}
