// Messages that carry a prompt, an invoice or an output show their sizes and nothing of them, so
// that an event or an error that holds one can be logged by accident without harm.

extension V01.QuoteRequest: CustomReflectable {
    /// Shows the kind of task and the sizes.
    package var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "taskKind": taskKind, "inputBytes": input.count, "paramsBytes": params?.count ?? 0,
            ],
            displayStyle: .struct
        )
    }
}

extension V01.QuoteResponse: CustomReflectable {
    /// Shows everything but the invoice.
    package var customMirror: Mirror {
        Mirror(
            self,
            children: ["price": price, "quoteExpiry": quoteExpiry, "termsHash": termsHash],
            displayStyle: .struct
        )
    }
}

extension V01.Result: CustomReflectable {
    /// Shows the size and the media type.
    package var customMirror: Mirror {
        Mirror(
            self,
            children: ["resultBytes": result.count, "contentType": contentType ?? "none"],
            displayStyle: .struct
        )
    }
}
