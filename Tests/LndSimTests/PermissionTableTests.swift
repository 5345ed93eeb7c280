import LndRPC
import LndSim
import Testing

/// The client's list of calls and the simulated lnd's, which were written apart.
@Suite struct PermissionTableTests {
    @Test(arguments: LndCall.allCases)
    func `both sides want the same permission for a call`(call: LndCall) {
        guard let permission = call.permission else {
            #expect(Permissions.free.contains(call.path))
            return
        }
        let required = Permissions.required(by: call.path)
        #expect(required?.entity == permission.entity, "\(call.path)")
        #expect(required?.action == permission.action, "\(call.path)")
    }
}
