import BridgeProtocol
import LightningTypes
import SwiftProtobuf
import Testing

@testable import Gateway

/// How much is reserved besides a price.
@Suite struct FeeRuleTests {
    private func most(_ msat: UInt64, _ rule: FeeRule) -> UInt64 {
        rule.most(MilliSatoshi(msat: msat)).msat
    }

    @Test func `a bridge that does not say it allows 10 sat, or a hundredth`() {
        for rule in [FeeRule(), FeeRule(BusStatus())] {
            #expect(most(0, rule) == 10_000)
            #expect(most(1_000_000, rule) == 1_010_000)
            #expect(most(5_000_000, rule) == 5_050_000)
        }
    }

    @Test func `a bridge's own limits are reserved, whichever is more`() {
        let rule = FeeRule(
            .with {
                $0.feeFloorMsat = 100_000
                $0.feeSharePpm = 50_000
            }
        )
        #expect(most(1_000, rule) == 101_000)
        #expect(most(4_000_000, rule) == 4_200_000)
        let none = FeeRule(.with { $0.feeSharePpm = 1 })
        #expect(most(1_999_999, none) == 2_000_000)
        let all = FeeRule(.with { $0.feeSharePpm = .max })
        #expect(most(3, all) == 6)
        #expect(most(.max, all) == MilliSatoshi.totalSupply.msat)
    }
}
