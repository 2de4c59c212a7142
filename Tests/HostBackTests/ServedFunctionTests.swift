import DeviceAccess
import DeviceMemory
import HostBack
import LinuxIO
import Synchronization
import Testing
import VfioUser

/// A scripted host's function behind a socket, and a client of it.
@Suite("A host's PCI function at a socket", .serialized) struct ServedFunctionTests {
    /// What the server's thread makes; the test looks at it only while the server waits for it.
    private final class Served: @unchecked Sendable {
        let host: ScriptedFunction
        let control = Mutex<ServerControl?>(nil)
        init() throws { host = try ScriptedFunction() }
    }

    private func serve(_ body: (VfioUserDevice, ScriptedFunction) throws -> Void) throws {
        let path = "/tmp/unic-passthrough-\(MonotonicClock.nanoseconds()).sock"
        let served = try Served()
        let thread = try WorkerThread {
            do {
                let function = try PassthroughFunction(served.host)
                let environment = function.environment
                let server = try VfioUserServer(
                    model: function, environment: environment, clientMemory: DMASpace(), socketPath: path)
                try server.serve { served.control.withLock { $0 = server.control } }
            } catch { Issue.record("\(error)") }
        }
        let deadline = Deadline(afterMilliseconds: 10_000)
        while served.control.withLock({ $0 }) == nil, !deadline.hasPassed { _ = waitForEvents([], timeoutMilliseconds: 1) }
        let control = try #require(served.control.withLock { $0 })
        let result = Result { try body(try VfioUserDevice(url: "vfio-user:\(path)", socketPath: path), served.host) }
        control.stop()
        thread.join()
        try result.get()
    }

    @Test func aClientMapsTheDevicesOwnFile() throws {
        try serve { device, host in
            let areas = try device.mapAreas(of: 0)
            #expect(areas.map(\.offset) == [0, 0x2000] && areas.map(\.window.byteCount) == [0x1000, 0x2000])
            try host.store(0x5a, at: 0x1_2000)
            #expect(areas[1].window.load8(at: 0) == 0x5a)
            _ = host.takeLog()
            #expect(try device.readRegion(0, at: 0x1008, byteCount: 8) == 0x1122_3344_5566_7788)
            #expect(try device.readConfig(at: 0, byteCount: 2) == 0x8086)
            try device.writeConfig(6, at: 4, byteCount: 2)
            #expect(host.takeLog() == ["read 0 4104 8", "read config 0 2", "write config 4 2 6"])
            // Not even a page that is mapped is read through the socket from memory of this process.
            _ = try device.readRegion(0, at: 0x10, byteCount: 4)
            #expect(host.takeLog() == ["read 0 16 4"])
        }
    }

    @Test func aClientsEventfdsReachTheDeviceAndLeaveItWithTheClient() throws {
        try serve { device, host in
            let one = try EventFD()
            let other = try EventFD()
            _ = host.takeLog()
            try device.enableInterrupts(.msix, eventfds: [one.number, -1, other.number])
            #expect(host.takeLog().last == "msix fd - fd")
            try device.enableInterrupts(.intx, eventfds: [one.number])
            try device.unmaskINTx()
            #expect(host.takeLog().suffix(2) == ["intx fd", "unmask"])
            try device.enableInterrupts(.request, eventfds: [one.number])
            #expect(host.takeLog().last == "request fd")
            // The bus tells no errors of this one.
            #expect(try device.interruptCount(.error) == 0)
            host.refusesAccesses = true
            #expect(throws: DeviceError.self) { try device.enableInterrupts(.msix, eventfds: [one.number]) }
            host.refusesAccesses = false
            try device.reset()
            #expect(host.takeLog().contains("reset"))
        }
    }
}
