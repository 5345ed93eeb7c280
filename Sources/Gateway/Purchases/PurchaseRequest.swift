import BusClient
import Conversation
import LCPWire
import LightningTypes

/// What one HTTP request wants to buy, and from whom.
package struct PurchaseRequest: Sendable {
    /// What makes two requests the same purchase.
    package var identity: RetryIdentity
    /// What is asked.
    package var order: ChatOrder
    /// The account that pays.
    package var account: KeyID

    /// Takes all of it.
    package init(identity: RetryIdentity, order: ChatOrder, account: KeyID) {
        self.identity = identity
        self.order = order
        self.account = account
    }

    /// The job for one peer.
    ///
    /// - Throws: ``Refusal`` when the conversation does not fit into one message.
    func submission(
        to candidate: ModelRoutes.Candidate,
        as key: SubmissionKey
    ) throws(Refusal) -> JobSubmission {
        let params: [UInt8]
        do {
            params = try V01.LLMChatParams(
                profile: candidate.profile,
                temperatureMilli: order.temperatureMilli,
                maxOutputTokens: order.maxOutputTokens
            )
            .encoded()
        } catch {
            throw .defect
        }
        return JobSubmission(
            to: candidate.peer,
            taskKind: V01.llmChat,
            input: Redacted(try prompt(for: candidate, params)),
            params: params,
            key: key
        )
    }

    /// The whole conversation; one that had to be cut would be another one.
    private func prompt(
        for candidate: ModelRoutes.Candidate,
        _ params: [UInt8]
    ) throws(Refusal) -> [UInt8] {
        let limit = V01.QuoteRequest.inputLimit(
            payloadBytes: candidate.payloadBytes,
            params: params
        )
        let whole = order.conversation.transcript.utf8.count
        let prompt: Conversation.Prompt
        do throws(Conversation.TooLong) {
            prompt = try order.conversation.prompt(limit: limit)
        } catch {
            throw .tooLong(bytes: error.bytes, limit: error.limit)
        }
        guard prompt.leftOut == 0 else { throw .tooLong(bytes: whole, limit: limit) }
        return Array(prompt.text.utf8)
    }
}
