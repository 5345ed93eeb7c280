import Foundation
import LCPInspector
import LCPTesting
import Testing

@Suite struct InvoiceJSONTests {
    private func cases(_ lists: [String]) throws -> [[String: Any]] {
        let data = try Fixture.data(named: "bolt11.json")
        let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        return try lists.flatMap { try #require(file[$0] as? [[String: Any]]) }
    }

    @Test func `the JSON of a decoded invoice is that of the vectors`() throws {
        let cases = try cases(["valid", "extra_valid"])
        #expect(cases.count >= 25)
        for vector in cases {
            let invoice = try #require(vector["invoice"] as? String)
            let printed = try JSONSerialization.jsonObject(
                with: Data("\(try JSONText(invoice: invoice))".utf8)
            )
            #expect(
                (printed as? NSDictionary) == (vector["expect"] as? NSDictionary),
                "\(vector["name"] ?? "")"
            )
        }
    }

    @Test func `an invalid invoice is refused with the failure kind of its vector`() throws {
        let cases = try cases(["invalid", "extra_invalid"])
        #expect(cases.count >= 16)
        for vector in cases {
            let invoice = try #require(vector["invoice"] as? String)
            let error = #expect(throws: InspectionError.self) { try JSONText(invoice: invoice) }
            #expect(error?.code == vector["failure"] as? String, "\(vector["name"] ?? "")")
            #expect(error?.detail.contains(invoice) == false)
        }
    }

    @Test(arguments: ["lightning:", "LIGHTNING:", "Lightning:"])
    func `a lightning prefix is ignored`(prefix: String) throws {
        let invoice = try #require(try cases(["valid"]).first?["invoice"] as? String)
        #expect(try JSONText(invoice: prefix + invoice) == JSONText(invoice: invoice))
    }
}

@Suite struct JSONTextTests {
    @Test func `text of every kind survives a JSON reader`() throws {
        let text = "\u{0}\u{1f}\u{7f}\"\\/\n\r\t é プ 🔖 \u{2028}"
        let json: JSONText = ["key \"1\"": .array([.string(text), .null, .bool(true), .number(7)])]
        let read = try JSONSerialization.jsonObject(with: Data("\(json)".utf8))
        let values = try #require((read as? [String: [Any]])?["key \"1\""])
        #expect(values[0] as? String == text)
        #expect(values[1] is NSNull)
        #expect(values[2] as? Bool == true)
        #expect(values[3] as? Int == 7)
    }
}
