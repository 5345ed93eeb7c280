import LndRPC

/// What a macaroon allows, measured against what a bridge calls.
struct MacaroonExamination {
    let contents: MacaroonContents
    let role: BridgeRole
    let path: String

    /// What the bridge calls and the macaroon does not allow.
    var missing: [LndCall] { LndCall.needed(by: role).filter { !contents.allows($0) } }

    /// Everything that was found in the file.
    var findings: [Finding] { [permissions] + width + caveats }

    private var permissions: Finding {
        let needed = LndCall.needed(by: role)
        guard !missing.isEmpty else {
            return .ok(
                "lnd.macaroon",
                "\(path) allows all \(needed.count) calls of a bridge for \(role.rawValue)"
            )
        }
        let names = missing.map { MacaroonPermission(calling: $0.method).description }
        return .problem(
            "lnd.macaroon",
            "\(path) lacks \(names.joined(separator: " "))",
            fix: Self.bakery(role)
        )
    }

    /// What it allows beyond the need, which a thief of the file would have too.
    private var width: [Finding] {
        let needed = LndCall.needed(by: role)
        let wanted = Set(needed.map { MacaroonPermission(calling: $0.method) })
        let extra = contents.permissions.subtracting(wanted)
        guard !extra.isEmpty else { return [] }
        let excess = LndCall.allCases.filter {
            $0.permission != nil && contents.allows($0) && !needed.contains($0)
        }
        let names = excess.map(\.name)
        let detail =
            names.isEmpty
            ? extra.map(\.description).sorted().joined(separator: " ")
            : names.joined(separator: ", ")
        return [
            .warning(
                "lnd.macaroon.width",
                "\(path) allows more than a bridge for \(role.rawValue) needs: \(detail)",
                fix: Self.bakery(role)
            )
        ]
    }

    private var caveats: [Finding] {
        contents.caveats.isEmpty
            ? []
            : [
                .warning(
                    "lnd.macaroon.caveats",
                    "\(path) is bound to: \(contents.caveats.joined(separator: "; "))",
                    fix: Self.bakery(role)
                )
            ]
    }

    private static func bakery(_ role: BridgeRole) -> String {
        "lcp macaroon --role \(role.rawValue) --bake FILE --lnd-macaroon admin.macaroon"
    }
}
