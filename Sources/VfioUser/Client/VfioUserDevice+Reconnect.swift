public import DeviceAccess
import LinuxIO

/// A server that was restarted: the same device once more, as after power-on, with everything connected that was.
extension VfioUserDevice {
    public var canReconnect: Bool { true }

    public func reconnect(timeoutMilliseconds: UInt64) throws(DeviceError) {
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        // A server that lives serves nobody else, or us again, before this connection has ended.
        session.connection.hangUp("it was given up to be reconnected")
        while true {
            guard let obstacle = try tryToReconnect(until: deadline) else { return }
            guard !deadline.hasPassed else {
                throw .gone(device: url, reason: "no server took it up again within \(timeoutMilliseconds) ms (\(obstacle))")
            }
            _ = waitForEvents([], timeoutMilliseconds: 5)
        }
    }

    /// Returns what may be otherwise in a moment: nobody listens, the server died again or serves somebody else. nil: done.
    private func tryToReconnect(until deadline: Deadline) throws(DeviceError) -> DeviceError? {
        let remaining = UInt64(deadline.remainingMilliseconds)
        let connection: ClientConnection
        do throws(DeviceError) {
            connection = ClientConnection(
                device: url, socket: try ClientConnection.connect(device: url, path: socketPath, timeoutMilliseconds: remaining),
                memory: memory, timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            guard case .systemCall = error else { return error }
            throw error
        }
        connection.latest = deadline
        connection.spinMicroseconds = spinMicroseconds
        do throws(DeviceError) {
            try takeUp(try ServerSession(connection, acceptsHostDevices: acceptsHostDevices))
            connection.latest = nil
            return nil
        } catch {
            switch error {
            case .gone, .timedOut: return error
            default: throw error
            }
        }
    }

    /// Everything that the old server had goes to the new one; the windows change over last, when nothing else can fail.
    private func takeUp(_ new: ServerSession) throws(DeviceError) {
        try checkShape(of: new)
        let mappings = memory.all
        let requests = mappings.map { (payload: $0.message.emit(), descriptors: [$0.file.number]) }
        for (mapping, result) in zip(mappings, try new.connection.requestEach(.dmaMap, requests)) { try judge(result, of: mapping, new) }
        for (kind, events) in connectedEvents { try new.connect(kind, eventfds: events.numbers) }
        for (region, mapped) in mappedRegions {
            let known = try new.region(region)
            guard let file = known.file?.take() else { throw other("region \(region) cannot be mapped any more") }
            try mapped.replace(region, known, file, device: url)
        }
        session = new
    }

    /// What the old server was asked about its device the new one answers alike.
    private func checkShape(of new: ServerSession) throws(DeviceError) {
        guard new.info == session.info, new.dmaLimits == session.dmaLimits else {
            throw other("its regions, interrupts, reset or limits differ")
        }
        for (number, region) in session.regions {
            let found = try new.region(number).info
            guard found == region.info else {
                throw other("region \(number) has \(found.byteCount) bytes and the mappable areas \(found.mmappableAreas)")
            }
        }
        for (kind, count) in session.interruptCounts {
            let found = try new.interruptCount(kind)
            guard found == count else { throw other("it has \(found) vectors of \(kind) instead of \(count)") }
        }
    }

    private func other(_ difference: String) -> DeviceError {
        .notUsable(
            device: url, group: nil, reason: "the server came back with another device: \(difference)",
            fix: "Start it as it was before, or open the device anew.")
    }
}
