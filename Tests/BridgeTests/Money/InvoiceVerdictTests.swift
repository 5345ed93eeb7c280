import BridgeProtocol
import Foundation
import Journal
import LightningTypes
import LndRPC
import Testing

@testable import Bridge

/// What each of lnd's words means for an invoice.
@Suite struct InvoiceVerdictTests {
    @Test(arguments: LndError.Code.allCases)
    func `every error of a call to make an invoice has one meaning`(_ code: LndError.Code) {
        let expected: InvoiceCreationVerdict =
            switch code {
            case .invalidRequest, .macaroonMissing, .macaroonInvalid, .permissionDenied,
                .macaroonFile, .unimplemented:
                .refused
            case .cancelled, .closed: .over
            default: .later
            }
        #expect(InvoiceCreationVerdict(code) == expected)
        if LndError(code, "").outcomeIsUnknown {
            #expect(InvoiceCreationVerdict(code) != .refused)
        }
    }

    @Test(arguments: LndError.Code.allCases)
    func `every error about an invoice has one meaning`(_ code: LndError.Code) {
        let expected: InvoiceVerdict =
            switch code {
            case .invoiceAlreadySettled: .settled(nil)
            case .invoiceAlreadyCanceled: .cancelled
            case .invoiceUnknown: .notFound
            case .cancelled, .closed: .over
            default: .unknown
            }
        #expect(InvoiceVerdict(code) == expected)
    }

    // MARK: Orders

    private static let job = MoneyBench.job(
        1,
        peer: MoneyBench.samplePeer,
        role: .provider
    )

    private static func order(_ edit: (inout BusCreateInvoice) -> Void = { _ in })
        -> BusCreateInvoice
    {
        var order = BusCreateInvoice()
        order.amountMsat = 57_355
        order.descriptionHash = Data(repeating: 7, count: 32)
        order.expiryUnix = 10_600
        order.profile = "gpt-5.2"
        edit(&order)
        return order
    }

    private static func refusal(_ order: BusCreateInvoice, job: JobKey = job) -> String? {
        do throws(BusFailure) {
            _ = try InvoiceOrder(order, job: job, now: UnixTime(seconds: 10_000))
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `orders that make no sense are refused before lnd is asked`() {
        #expect(Self.refusal(Self.order()) == nil)
        let buyer = MoneyBench.job(1, peer: MoneyBench.samplePeer)
        #expect(Self.refusal(Self.order(), job: buyer) == "not-a-provider")
        #expect(Self.refusal(Self.order { $0.amountMsat = 0 }) == "malformed-order")
        #expect(Self.refusal(Self.order { $0.amountMsat = .max }) == "malformed-order")
        #expect(Self.refusal(Self.order { $0.descriptionHash = Data() }) == "malformed-order")
        #expect(
            Self.refusal(Self.order { $0.profile = String(repeating: "x", count: 257) })
                == "malformed-order"
        )
        #expect(
            Self.refusal(Self.order { $0.expiryUnix = 10_000 + 86_401 })
                == "invoice-lives-too-long"
        )
    }

    @Test func `an invoice ends when the order says, by lnd's clock`() throws {
        let order = try InvoiceOrder(Self.order(), job: Self.job, now: UnixTime(seconds: 10_000))
        func seconds(_ now: UInt64, lead: UInt64) -> UInt32? {
            order.request(now: UnixTime(seconds: now), lead: lead, hints: false)?.expirySeconds
        }
        #expect(seconds(10_000, lead: 1) == 599)
        #expect(seconds(10_000, lead: 100) == 500)
        #expect(seconds(10_598, lead: 1) == 1)
        #expect(seconds(10_599, lead: 1) == nil)
        #expect(seconds(.max, lead: .max) == nil)
    }
}
