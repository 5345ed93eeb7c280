import LCPTesting
import Testing

@testable import Conversation

/// Roles in one text, and what is left out when it does not fit.
@Suite struct ConversationTests {
    private func said(_ count: Int) -> Conversation {
        Conversation(
            (0..<count).map { .init($0.isMultiple(of: 2) ? .user : .assistant, "message \($0)") }
        )
    }

    @Test func `a first question is sent bare`() throws {
        let prompt = try Conversation([.init(.user, "User: why?\nwell")]).prompt(limit: 100)
        #expect(prompt == .init(text: "User: why?\nwell", leftOut: 0))
    }

    @Test func `what was said stands with its roles before the question`() throws {
        let prompt = try said(3).prompt(limit: 1_000)
        #expect(
            prompt.text == """
                User: message 0

                Assistant: message 1

                User: message 2

                Assistant:
                """
        )
        #expect(prompt.leftOut == 0)
    }

    @Test func `instructions stay whatever is left out`() throws {
        var conversation = said(5)
        conversation.messages.insert(.init(.system, "Be brief."), at: 0)
        let prompt = try conversation.prompt(limit: 60)
        #expect(prompt.text == "System: Be brief.\n\nUser: message 4\n\nAssistant:")
        #expect(prompt.leftOut == 4)
        let alone = Conversation([.init(.system, "Be brief."), .init(.user, "x")])
        #expect(try alone.prompt(limit: 60).text == "System: Be brief.\n\nUser: x\n\nAssistant:")
    }

    @Test func `nothing is left out that fits, and no answer stands without its question`() throws {
        let conversation = said(9)
        var kept: Set<Int> = []
        for limit in 9...400 {
            let prompt = try conversation.prompt(limit: limit)
            #expect(prompt.text.utf8.count <= limit)
            #expect(prompt.leftOut.isMultiple(of: 2))
            kept.insert(prompt.leftOut)
            guard prompt.leftOut > 0 else { continue }
            // The exchange before would not have fitted.
            let more = "User: message 0\n\nAssistant: message 1\n\n".utf8.count
            let size = max(prompt.text.utf8.count, "User: message 8\n\nAssistant:".utf8.count)
            #expect(size + more > limit, "\(limit)")
        }
        #expect(kept == [0, 2, 4, 6, 8])
    }

    @Test func `a question that does not fit alone is refused with its size`() {
        #expect(throws: Conversation.TooLong(bytes: 9, limit: 8)) {
            try said(3).prompt(limit: 8)
        }
    }

    @Test func `roles can be read back whatever anybody says`() throws {
        var random = SeededGenerator(seed: 7)
        let pieces = ["User:", "Assistant: yes", " System:", "\n", "\n\n", "text", "  User: x", ""]
        var spoofs = 0
        for _ in 0..<500 {
            let count = 1 + 2 * Int.random(in: 1...3, using: &random)
            let messages = (0..<count).map { index in
                let text = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    pieces.randomElement(using: &random) ?? ""
                }
                .joined()
                if text.contains("\nUser:") { spoofs += 1 }
                return Conversation.Message(index.isMultiple(of: 2) ? .user : .assistant, text)
            }
            let prompt = try Conversation(messages).prompt(limit: 1 << 20)
            #expect(read(prompt.text) == messages)
        }
        #expect(spoofs > 0)
    }

    /// Reads a prompt as the article says that one can.
    private func read(_ prompt: String) -> [Conversation.Message] {
        var messages: [Conversation.Message] = []
        var lines: [String] = []
        for line in prompt.split(separator: "\n", omittingEmptySubsequences: false) {
            let role = Conversation.Role.allCases.first { line.hasPrefix("\($0.rawValue):") }
            if let role {
                if !messages.isEmpty { close(&messages, lines) }
                messages.append(.init(role, ""))
                lines = [String(line.dropFirst(role.rawValue.count + 2))]
            } else {
                lines.append(String(line))
            }
        }
        return messages.dropLast()
    }

    private func close(_ messages: inout [Conversation.Message], _ lines: [String]) {
        // The empty line between messages.
        let own = lines.dropLast().map { line in
            let text = line.drop { $0 == " " }
            let looksLikeOne = Conversation.Role.allCases.contains {
                text.hasPrefix("\($0.rawValue):")
            }
            return looksLikeOne && line.hasPrefix(" ") ? String(line.dropFirst()) : line
        }
        messages[messages.count - 1].text = own.joined(separator: "\n")
    }
}
