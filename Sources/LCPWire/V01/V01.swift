/// LCP v0.1: its messages, params and terms.
package enum V01 {
    /// What `protocol_version` says in this version: major × 100 + minor
    /// (LCP v0.1 §2 [version-number]).
    package static let protocolVersion: UInt16 = 1

    /// The task kind whose params and input this version defines (LCP v0.1 §5.2.1).
    package static let llmChat = "llm.chat"
}
