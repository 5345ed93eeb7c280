/// What was said so far, and how it becomes the single prompt of an LCP v0.1 job.
///
/// `llm.chat` of v0.1 carries one text and knows no roles, so they are written into it. Pure, and the
/// same for whoever holds a conversation over LCP; the form is written down in the module's article.
package struct Conversation: Equatable, Sendable {
    /// Who said something.
    package enum Role: String, CaseIterable, Sendable {
        /// Instructions that hold for the whole conversation.
        case system = "System"
        /// Whoever asks.
        case user = "User"
        /// Whoever answers.
        case assistant = "Assistant"
    }

    /// Something that was said.
    package struct Message: Equatable, Sendable {
        /// Who said it.
        package var role: Role
        /// What was said.
        package var text: String

        /// Takes both.
        package init(_ role: Role, _ text: String) {
            self.role = role
            self.text = text
        }
    }

    /// A prompt, and what of the conversation it leaves out.
    package struct Prompt: Equatable, Sendable {
        /// What the provider gets.
        package var text: String
        /// How many of the oldest messages did not fit.
        package var leftOut: Int
    }

    /// The newest message does not fit, whatever is left out.
    package struct TooLong: Error, Equatable, Sendable {
        /// How many bytes the prompt would have.
        package var bytes: Int
        /// How many it may have.
        package var limit: Int
    }

    /// Everything that was said, oldest first.
    package var messages: [Message]

    /// Begins with what was said before.
    package init(_ messages: [Message] = []) { self.messages = messages }

    /// Writes the prompt that asks for the next answer.
    ///
    /// System messages are always kept. Of the others the newest are, as many as fit without a gap,
    /// and from a user's message on, so that no answer stands without its question.
    ///
    /// - Parameter limit: The most bytes the prompt may have.
    /// - Returns: The prompt.
    /// - Throws: ``TooLong`` when even the newest message with the instructions has more.
    package func prompt(limit: Int) throws(TooLong) -> Prompt {
        let system = messages.filter { $0.role == .system }
        let others = messages.filter { $0.role != .system }
        guard let newest = others.last else { return Prompt(text: "", leftOut: 0) }
        // How many bytes the prompt has that begins with each of the others.
        var sizes = Array(repeating: 0, count: others.count)
        var size = Self.render(system).utf8.count
        for (index, message) in others.enumerated().reversed() {
            size += Self.block(message).utf8.count + Self.gap.utf8.count
            sizes[index] = size
        }
        // An answer without its question would puzzle whoever reads it.
        let starts = others.indices.filter { others[$0].role == .user || others.count == 1 }
        let last = others.count - 1
        let start = starts.first { sizes[$0] <= limit }
        if system.isEmpty, newest.role == .user, start ?? last == last {
            return try alone(newest, leftOut: last, limit)
        }
        guard let start else { throw TooLong(bytes: sizes[last], limit: limit) }
        // System messages that came later stay where they were.
        var skipped = start
        let kept = messages.filter { message in
            guard message.role != .system, skipped > 0 else { return true }
            skipped -= 1
            return false
        }
        return Prompt(text: Self.render(kept), leftOut: start)
    }

    /// A question without history is sent as it is, as somebody who asks once would send it.
    private func alone(
        _ question: Message,
        leftOut: Int,
        _ limit: Int
    ) throws(TooLong) -> Prompt {
        let bytes = question.text.utf8.count
        guard bytes <= limit else { throw TooLong(bytes: bytes, limit: limit) }
        return Prompt(text: question.text, leftOut: leftOut)
    }

    /// Everything that was said, in the form of a prompt and without what asks for an answer.
    package var transcript: String {
        messages.map { Self.block($0) }.joined(separator: Self.gap)
    }

    // MARK: - The form

    private static let gap = "\n\n"
    private static let ending = "\(Role.assistant.rawValue):"

    private static func render(_ messages: [Message]) -> String {
        messages.map { block($0) + gap }.joined() + ending
    }

    /// `Role: text`, with a space before every line of the text that looks like a beginning.
    private static func block(_ message: Message) -> String {
        var lines: [Substring] = []
        for line in message.text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(isBeginning(line) ? " \(line)" : line)
        }
        return "\(message.role.rawValue): \(lines.joined(separator: "\n"))"
    }

    private static func isBeginning(_ line: Substring) -> Bool {
        let text = line.drop { $0 == " " }
        return Role.allCases.contains { text.hasPrefix("\($0.rawValue):") }
    }
}
