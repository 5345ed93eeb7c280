import Foundation
import LightningCrypto
package import LightningTypes

/// All keys of a gateway, as one file of JSON lines holds them; pure.
package struct KeyList: Equatable, Sendable {
    /// The keys, in the order they were made; revoked ones stay, with what they have spent.
    package private(set) var records: [KeyRecord] = []
    private var places: [KeyID: Int] = [:]

    /// No keys.
    package init() {}

    /// Reads a file's text.
    ///
    /// - Parameters:
    ///   - text: One JSON object a line.
    ///   - file: The file's name, for the error.
    /// - Throws: ``KeyRingError`` `notAKeyFile` with the line that can't be read.
    package init(_ text: String, file: String) throws(KeyRingError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            let place = "\(file):\(index + 1)"
            do {
                let record = try JSONDecoder().decode(KeyRecord.self, from: Data(line.utf8))
                guard append(record) else {
                    throw KeyRingError(.notAKeyFile, "\(place): the key \(record.id) stands twice")
                }
            } catch let error as KeyRingError {
                throw error
            } catch let defect as KeyRecord.Defect {
                throw KeyRingError(.notAKeyFile, "\(place): \(defect.description)")
            } catch {
                // What the decoder says may quote the line.
                throw KeyRingError(.notAKeyFile, "\(place) is not a key in JSON")
            }
        }
    }

    /// The text of a file with these keys.
    package var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            var text = ""
            for record in records {
                text += String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"
            }
            return text
        }
    }

    /// The key that a token opens; nil for none or a revoked one.
    package func record(for token: BearerToken) -> KeyRecord? {
        let hash = token.hash
        // Finding the place tells 48 bits of a hash that its owner knows; the rest is compared in
        // constant time.
        guard let place = places[KeyID(of: hash)],
            ConstantTime.areEqual(records[place].hash.bytes, hash.bytes),
            records[place].revoked == nil
        else { return nil }
        return records[place]
    }

    /// A key by its name in files; revoked ones too.
    package subscript(id: KeyID) -> KeyRecord? { places[id].map { records[$0] } }

    /// Makes a key.
    ///
    /// - Parameter record: The key, whose name no other key in use has.
    /// - Throws: ``KeyRingError`` `nameTaken`.
    package mutating func add(_ record: KeyRecord) throws(KeyRingError) {
        if let other = records.first(where: { $0.name == record.name && $0.revoked == nil }) {
            throw KeyRingError(.nameTaken, "\(record.name) has the key \(other.id) already")
        }
        guard append(record) else {
            throw KeyRingError(.nameTaken, "there is a key \(record.id) already")
        }
    }

    /// Has a key open nothing any more; once more changes nothing.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - now: Since when.
    /// - Returns: The key.
    /// - Throws: ``KeyRingError`` `unknownKey`.
    @discardableResult
    package mutating func revoke(_ id: KeyID, at now: UnixTime) throws(KeyRingError) -> KeyRecord {
        guard let place = places[id] else {
            throw KeyRingError(.unknownKey, "there is no key \(id)")
        }
        records[place].revoked = records[place].revoked ?? now
        return records[place]
    }

    private mutating func append(_ record: KeyRecord) -> Bool {
        guard places[record.id] == nil else { return false }
        places[record.id] = records.count
        records.append(record)
        return true
    }
}
