import DeviceMemory
import Devices
import Glibc
import LinuxIO
import NicDriver
import Synchronization

/// The process's adapter: opened by the first context, closed with the last one.
enum OpenAdapter {
    private static let current = Mutex<VerbsObject<Adapter>?>(nil)
    /// How long a closing adapter waits for acknowledgements.
    private static let flushMilliseconds: UInt64 = 2000

    /// Of the port, while it is open.
    static var macAddress: MACAddress? { current.withLock { $0?.state.port.macAddress } }

    /// One context more. nil: the device could not be opened; a person was told why.
    static func acquire(url: String) -> VerbsObject<Adapter>? {
        current.withLock { current in
            if current == nil { current = open(url) }
            current?.state.contextCount += 1
            return current
        }
    }

    static func release(_ adapter: VerbsObject<Adapter>) {
        current.withLock { current in
            // A child of the process that opened the device: the memory is a copy, the device is not ours.
            guard adapter.state.owner == processIdentifier else { return }
            adapter.state.contextCount -= 1
            guard adapter.state.contextCount == 0 else { return }
            current = nil
            close(adapter)
            // Programs that close the device first may destroy what they made on it later.
            if !adapter.state.hasLeftovers { adapter.destroy() }
        }
    }

    private static func open(_ url: String) -> VerbsObject<Adapter>? {
        do {
            let scratch = try DMAMemory.ordinary(byteCount: 4096, name: "unic-verbs")
            let port = try Devices.open(url, options: .verbs(for: url, mtu: environmentVariable("UNIC_MTU")))
            registerExit
            return VerbsObject(Adapter(url: url, port: port, scratch: scratch))
        } catch {
            Complaint.once("\(error)")
            return nil
        }
    }

    private static func close(_ adapter: VerbsObject<Adapter>) {
        adapter.locked { adapter.state.helperShallEnd = true }
        adapter.state.helper.take()?.join()
        finish(adapter)
        adapter.locked { adapter.state.isClosed = true }
        try? adapter.state.port.stop()
    }

    /// What peers still wait for goes out first, for a bounded time.
    private static func finish(_ adapter: VerbsObject<Adapter>) {
        adapter.locked {
            let deadline = Deadline(afterMilliseconds: flushMilliseconds)
            while !(adapter.state.transport.isQuiet && adapter.state.outgoing.isEmpty), !deadline.hasPassed {
                adapter.progress(now: MonotonicClock.nanoseconds())
                Processor.yield()
            }
            adapter.state.transport.sayGoodbye(now: MonotonicClock.nanoseconds())
            AdapterReport.write(
                device: adapter.state.url, adapter.state.counters, adapter.state.transport.counters, adapter.state.port.counters)
        }
    }

    /// A program that ends without closing its device has peers, too. Once for the process.
    private static let registerExit: Void = {
        // In a child nothing touches the parent's port; a thread that held the lock is not there.
        _ = pthread_atfork(nil, nil) {
            _ = OpenAdapter.current.withLockIfAvailable { current in
                current?.state.isClosed = true
                current?.state.lock.unlock()
                current = nil
            }
        }
        _ = atexit {
            guard let adapter = OpenAdapter.current.withLock({ $0.take() }), adapter.state.owner == processIdentifier else { return }
            OpenAdapter.finish(adapter)
            // A thread of the program may still be in a call.
            adapter.locked { adapter.state.isClosed = true }
        }
    }()
}
