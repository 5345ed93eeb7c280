import ArgumentParser
package import Logging

/// How important a line must be to be logged.
package enum LogLevel: String, ExpressibleByArgument, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical

    /// The same for the logger.
    package var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
