/// What somebody typed into a chat.
enum ChatLine: Equatable {
    /// Nothing but white space.
    case nothing
    /// A message for the peer.
    case message(String)
    /// Leave.
    case quit
    /// Show what was spent.
    case cost
    /// Forget what was said.
    case clear
    /// Write what was said to a file.
    case save(String)
    /// Show the commands.
    case help
    /// A command that is none, or lacks something.
    case unknown(String)

    /// What `/help` shows.
    static let commands = """
        /cost        what this conversation has cost
        /clear       forget what was said; the next message begins anew
        /save FILE   write the conversation to a new file, readable by you alone
        /quit        leave; so does Ctrl-D
        //text       send /text
        Alt-Enter begins a new line, the arrow keys go back to earlier messages.

        """

    /// Reads a line.
    init(_ line: String) {
        var text = line[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        guard text.first == "/" else {
            self = text.isEmpty ? .nothing : .message(String(text))
            return
        }
        if text.hasPrefix("//") {
            self = .message(String(text.dropFirst()))
            return
        }
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        switch (words.first.map { String($0) } ?? "", words.dropFirst().first) {
        case ("/quit", nil), ("/exit", nil): self = .quit
        case ("/cost", nil): self = .cost
        case ("/clear", nil): self = .clear
        case ("/help", nil): self = .help
        case ("/save", let file?): self = .save(String(file))
        default: self = .unknown(words.first.map { String($0) } ?? "/")
        }
    }
}
