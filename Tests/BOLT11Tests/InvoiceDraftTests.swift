import BOLT11
import LightningCrypto
import LightningTypes
import Testing

@Suite struct InvoiceDraftTests {
    // BOLT #11 [integers-written-minimal]
    @Test func `an ordinary draft is written in lnd's order and form`() throws {
        let draft = try InvoiceDraft(
            network: .regtest,
            amount: MilliSatoshi(msat: 57355),
            timestamp: UnixTime(seconds: 1_767_225_600),
            paymentHash: PaymentHash(
                bytes32("9f72ea0cf49536e3c66c787f705186df9a4378083753ae9536d65b3ad7fcddc4")
            ),
            paymentSecret: bytes32(String(repeating: "33", count: 32)),
            description: .hash(
                bytes32("eb1fde38b70d9a4bbe38d1911cc1464fd1874b4a68d17d527fe1fd695d64a458")
            ),
            minFinalCLTV: 80,
            expirySeconds: 295
        )
        #expect(
            try draft.signed(with: specKey())
                == "lnbcrt573550p1p54twgqpp5naew5r85j5mw83nv0plhq5vxm7dyx7qgxaf6a9fk6edn44lumhzqhp5"
                + "av0auw9hpkdyh03c6xg3es2xflgcwj62drgh65nlu87kjhty53vqcqzzsxqzf8sp5xvenxvenxvenxven"
                + "xvenxvenxvenxvenxvenxvenxvenxvenxves9qxpqysgqhdmfphe6egge0f4ndq8tdf47n4fptux7tyhlq"
                + "w6lnwneyxu82leqnh0fzwsskupxtceq8gug938vyy847lprnty5ynx8m9m5lvqdn4qpf9627k"
        )
    }

    // BOLT #11 [timestamp-35-bits] [field-length-written]
    @Test func `what does not fit is not written`() throws {
        func kind(_ make: () throws -> Void) -> BOLT11Error.Kind? {
            do {
                try make()
                return nil
            } catch { return (error as? BOLT11Error)?.kind }
        }
        let longest = String(repeating: "a", count: 639)
        #expect(kind { _ = try TaggedField.description(.text(longest)) } == nil)
        #expect(kind { _ = try TaggedField.description(.text(longest + "a")) } == .fieldTooLong)
        #expect(kind { _ = try TaggedField.metadata([UInt8](longest.utf8)) } == nil)
        #expect(kind { _ = try TaggedField.metadata([UInt8](longest.utf8) + [0]) } == .fieldTooLong)
        #expect(kind { _ = try TaggedField.features(Features([5114])) } == nil)
        #expect(kind { _ = try TaggedField.features(Features([5115])) } == .fieldTooLong)
        #expect(kind { _ = try invoice(timestamp: 1 << 35 - 1) } == nil)
        #expect(kind { _ = try invoice(timestamp: 1 << 35) } == .timestampTooLarge)
        #expect(kind { _ = try invoice(amount: MilliSatoshi(msat: .max)) } == .amountTooLarge)
        #expect(TaggedField(type: 32, groups: []) == nil)
        #expect(TaggedField(type: 1, groups: [32]) == nil)
        #expect(TaggedField(type: 1, groups: [UInt8](repeating: 0, count: 1024)) == nil)
        #expect(RouteHint(hops: []) == nil)
    }

    // BOLT #11 [features-none-omitted]
    @Test func `a draft without feature bits has no tag 9`() throws {
        let bare = try BOLT11Invoice(decoding: invoice(features: .none))
        #expect(bare.features == .none)
        #expect(!bare.draft.fields.contains { $0.tag == .features })
    }
}
