import LndRPC
import Testing

@Suite struct LndConnectionTests {
    @Test(
        arguments: [
            ("localhost", "localhost", 10_009, "localhost:10009"),
            ("127.0.0.1:10010", "127.0.0.1", 10_010, "127.0.0.1:10010"),
            ("[::1]", "::1", 10_009, "[::1]:10009"),
            ("[fe80::1]:1", "fe80::1", 1, "[fe80::1]:1"),
            ("lnd.example:65535", "lnd.example", 65_535, "lnd.example:65535"),
        ] as [(String, String, UInt16, String)]
    )
    func `an address has a host, and a port unless it is lnd's default`(
        text: String,
        host: String,
        port: UInt16,
        canonical: String
    ) throws {
        let connection = try LndConnection(
            address: text,
            certificatePath: "tls.cert",
            macaroonPath: nil
        )
        #expect(connection.host == host)
        #expect(connection.port == port)
        #expect(connection.address == canonical)
    }

    @Test(arguments: [
        "", ":10009", "localhost:", "localhost:0", "localhost:65536", "localhost:+1", "localhost:x",
        "::1", "[::1", "[::1]10009", "[::1]:", "[localhost]:1", "https://localhost:10009", "a b:1",
        "localhost:1:2", "[]:1", "localhost:٣",
    ])
    func `an address of another form is refused`(text: String) throws {
        let error = #expect(throws: LndError.self) {
            try LndConnection(address: text, certificatePath: nil, macaroonPath: nil)
        }
        #expect(error?.code == .invalidRequest)
    }
}
