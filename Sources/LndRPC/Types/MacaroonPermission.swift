package import GRPCCore
import SwiftProtobuf

/// One thing a macaroon allows.
package struct MacaroonPermission: Hashable, Sendable {
    /// What it is about, as in `invoices`, or `uri`.
    package var entity: String
    /// What may be done, as in `read`; for `uri` the full method path.
    package var action: String

    /// Makes a permission.
    package init(entity: String, action: String) {
        self.entity = entity
        self.action = action
    }

    /// The permission to make one call and no other.
    ///
    /// The form to prefer: by entity, sending a message and paying are the same permission.
    package init(calling method: MethodDescriptor) {
        self.init(entity: "uri", action: "/\(method.fullyQualifiedMethod)")
    }
}

extension MacaroonPermission: CustomStringConvertible {
    /// As lncli takes it: `entity:action`.
    package var description: String { "\(entity):\(action)" }
}

extension MacaroonPermission {
    var message: Lnrpc_MacaroonPermission {
        .with {
            $0.entity = entity
            $0.action = action
        }
    }
}
