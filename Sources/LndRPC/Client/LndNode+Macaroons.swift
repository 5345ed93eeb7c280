import FoundationEssentials
package import GRPCCore
package import LightningTypes
import SwiftProtobuf

extension LndNode {
    /// Makes a macaroon; needs the permission `macaroon:generate`, which no bridge should have.
    ///
    /// - Parameters:
    ///   - permissions: What it allows; at least one.
    ///   - rootKeyID: A root key of its own allows revoking this macaroon alone.
    /// - Returns: The binary macaroon, as its file holds it.
    /// - Throws: ``LndError``: `invalidRequest` for a call that this lnd does not have.
    package func bakeMacaroon(
        _ permissions: [MacaroonPermission],
        rootKeyID: UInt64 = 0
    ) async throws(LndError) -> Redacted<[UInt8]> {
        let answer: Lnrpc_BakeMacaroonResponse = try await unary(
            .bakeMacaroon,
            Lnrpc_BakeMacaroonRequest.with {
                $0.permissions = permissions.map(\.message)
                $0.rootKeyID = rootKeyID
            }
        )
        guard let bytes = Hex.decode(answer.macaroon), !bytes.isEmpty else {
            throw LndError(.malformedAnswer, "lnrpc.BakeMacaroonResponse: macaroon is not hex")
        }
        return Redacted(bytes)
    }

    /// Whether a macaroon allows all of this; needs the permission `macaroon:read`.
    ///
    /// - Parameters:
    ///   - macaroon: The binary macaroon.
    ///   - permissions: What it should allow.
    ///   - method: The call in question, for macaroons bound to calls; nil for none.
    /// - Returns: Whether lnd finds it valid for that.
    /// - Throws: ``LndError``.
    package func checkMacaroonPermissions(
        _ macaroon: Redacted<[UInt8]>,
        _ permissions: [MacaroonPermission],
        calling method: MethodDescriptor? = nil
    ) async throws(LndError) -> Bool {
        do {
            let answer: Lnrpc_CheckMacPermResponse = try await unary(
                .checkMacaroonPermissions,
                Lnrpc_CheckMacPermRequest.with {
                    $0.macaroon = Data(macaroon.reveal("lnd checks it"))
                    $0.permissions = permissions.map(\.message)
                    if let method { $0.fullMethod = "/\(method.fullyQualifiedMethod)" }
                }
            )
            return answer.valid
        } catch  where error.code == .invalidRequest {
            // lnd answers InvalidArgument, with the checker's words, instead of `valid: false`.
            return false
        }
    }
}
