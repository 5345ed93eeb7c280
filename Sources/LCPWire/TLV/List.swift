/// The list encodings inside LCP values (LCP v0.1 §4.3): a count, then the items.
///
/// A list must be consumed completely, and its item count is bounded before anything is stored.
package enum List {
    /// More items make a list invalid.
    package static let maximumItems = 1024

    /// Reads a `bigsize_list`.
    ///
    /// - Parameter bytes: The whole value.
    /// - Returns: The numbers in order.
    /// - Throws: ``WireError`` for the first broken rule.
    package static func readNumbers(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [UInt64] {
        try read(bytes) { (reader) throws(WireError) in try reader.bigSize(.item) }
    }

    /// Reads a `bytes_list`.
    ///
    /// - Parameter bytes: The whole value.
    /// - Returns: The items in order, as views into `bytes`.
    /// - Throws: ``WireError`` for the first broken rule.
    package static func readBytes(
        _ bytes: ArraySlice<UInt8>
    ) throws(WireError) -> [ArraySlice<UInt8>] {
        try read(bytes) { (reader) throws(WireError) in
            let length = try reader.bigSize(.itemLength)
            guard let place = reader.skip(length) else { throw WireError(.itemPastEnd) }
            return reader[place]
        }
    }

    /// Reads a `string_list`.
    ///
    /// - Parameter bytes: The whole value.
    /// - Returns: The strings in order.
    /// - Throws: ``WireError`` for the first broken rule, `notUTF8` among them.
    package static func readStrings(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [String] {
        var strings: [String] = []
        for item in try readBytes(bytes) { strings.append(try Text.read(item)) }
        return strings
    }

    /// Appends a `bigsize_list`.
    package static func append(_ numbers: [UInt64], to bytes: inout [UInt8]) {
        BigSize.append(UInt64(numbers.count), to: &bytes)
        for number in numbers { BigSize.append(number, to: &bytes) }
    }

    /// Appends a `bytes_list`.
    package static func append(_ items: [some Collection<UInt8>], to bytes: inout [UInt8]) {
        BigSize.append(UInt64(items.count), to: &bytes)
        for item in items {
            BigSize.append(UInt64(item.count), to: &bytes)
            bytes += item
        }
    }

    /// Appends a `string_list`.
    package static func append(_ strings: [String], to bytes: inout [UInt8]) {
        append(strings.map(\.utf8), to: &bytes)
    }

    private static func read<Item>(
        _ bytes: ArraySlice<UInt8>,
        item: (inout ByteReader) throws(WireError) -> Item
    ) throws(WireError) -> [Item] {
        var reader = ByteReader(bytes)
        let count = try reader.bigSize(.count)
        // LCP v0.1 §4.3 [list-bounded]
        guard count <= maximumItems else { throw WireError(.tooManyItems(count)) }
        var items: [Item] = []
        for _ in 0..<count { items.append(try item(&reader)) }
        // LCP v0.1 §4.3 [list-complete]
        guard reader.isAtEnd else { throw WireError(.trailingBytes) }
        return items
    }
}

/// UTF-8 text as LCP requires it: valid, or the message fails (LCP v0.1 §2).
enum Text {
    /// Takes a whole value as text.
    static func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> String {
        // LCP v0.1 §2 [text-is-utf8]
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw WireError(.notUTF8)
        }
        return text
    }

    /// Checks that some bytes are valid UTF-8 without keeping them as text.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        (try? UTF8Span(validating: bytes.span)) != nil
    }
}
