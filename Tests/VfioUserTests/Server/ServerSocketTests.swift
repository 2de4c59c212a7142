import LinuxIO
import Testing

@testable import VfioUser

@Suite struct ServerSocketTests {
    @Test func pathOfALiveServerIsRefused() throws {
        let server = try RunningServer()
        #expect(throws: RunningServer.StartFailure.self) { try RunningServer(path: server.path) }
        #expect(throws: Never.self) { _ = try server.device() }
    }

    @Test func pathOfADeadServerIsTakenOver() throws {
        let path = RunningServer.freshPath()
        do { _ = try UnixSocket.listen(at: path, backlog: 1) }
        #expect(PathIdentity(of: path) != nil)
        let server = try RunningServer(path: path)
        #expect(throws: Never.self) { _ = try server.device() }
    }

    @Test func fileThatIsNoSocketIsLeftAlone() throws {
        let path = RunningServer.freshPath()
        _ = try OwnedDescriptor.open(path, flags: 0o101, mode: 0o600)
        #expect(throws: RunningServer.StartFailure.self) { try RunningServer(path: path) }
        let found = try #require(PathIdentity(of: path))
        #expect(!found.isSocket)
        found.unlink(path)
    }

    @Test func pathThatIsTooLongIsRefusedWithTheLimit() throws {
        let path = "/tmp/" + String(repeating: "x", count: 200)
        let failure = #expect(throws: RunningServer.StartFailure.self) { try RunningServer(path: path) }
        #expect(failure?.reason.contains("at most 107 bytes") == true)
    }

    @Test func stoppedServerRemovesItsSocket() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        #expect(PathIdentity(of: path)?.isSocket == true)
        server = nil
        #expect(PathIdentity(of: path) == nil)
    }

    @Test func writingToTheStopDescriptorStopsABusyServer() throws {
        var options = ServerOptions()
        options.busyPoll = true
        let server = try RunningServer(options)
        let peer = try RawPeer(connectingTo: server.path)
        EventFD.signal(server.control.stopDescriptor)
        #expect(try peer.receive() == nil)
        #expect(eventually { PathIdentity(of: server.path) == nil })
    }

    @Test func secondClientIsTurnedAwayAndWelcomeAfterwards() throws {
        let server = try RunningServer()
        do {
            let first = try server.device()
            let refusal = #expect(throws: (any Error).self) { _ = try server.device() }
            #expect("\(refusal.map { "\($0)" } ?? "")".contains("another client"))
            #expect(try first.readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
        }
        #expect(try server.device().readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
        #expect(server.eventually { $0.refusedConnections == 1 })
    }

    @Test func thousandConnectsAreServedOneAfterTheOther() throws {
        let server = try RunningServer()
        for round in 0..<1000 {
            let peer = try connectWhenFree(server)
            if round % 100 == 0 { #expect(try peer.exchange(.regionRead, longs(0) + words(0, 4)).payload.count == 20) }
        }
        #expect(server.eventually { $0.connections == 1000 && !$0.isConnected })
    }

    /// A child that another test spawns holds a copy of the last client's socket until it executes its program: the server
    /// does not see the hang-up before, and turns the next client away.
    private func connectWhenFree(_ server: RunningServer) throws -> RawPeer {
        for _ in 0..<50 {
            if let peer = try? RawPeer(connectingTo: server.path) { return peer }
            sleepMicroseconds(20_000)
        }
        return try RawPeer(connectingTo: server.path)
    }
}
