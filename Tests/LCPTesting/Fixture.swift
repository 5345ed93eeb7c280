package import Foundation

/// The files below `Tests/Fixtures`.
package enum Fixture {
    /// The bytes of a fixture.
    ///
    /// - Parameter name: The path below `Tests/Fixtures`.
    /// - Returns: The whole file.
    /// - Throws: An error of Foundation's when there is no such file.
    package static func data(named name: String) throws -> Data {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: tests.appending(path: "Fixtures").appending(path: name))
    }

    /// A JSON fixture as values; keys in snake case become names in camel case.
    ///
    /// - Parameters:
    ///   - type: What the file holds.
    ///   - name: The path below `Tests/Fixtures`.
    /// - Returns: The decoded value.
    /// - Throws: An error of Foundation's when the file is missing or has another shape.
    package static func decode<Value: Decodable>(
        _ type: Value.Type,
        named name: String
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data(named: name))
    }
}
