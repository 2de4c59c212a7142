import DeviceMemory
public import IOMMURelay
import LinuxIO
public import Reports
import Synchronization
public import VfioUser

/// A relay's requests as they are answered, a JSON object a line, for whoever listens. Nothing is kept while nobody does.
public final class RelayTrace: LineSource {
    private struct Entry {
        var nanoseconds: UInt64
        var what: What
        enum What {
            case request(IOMMURequest, IOMMUStatus, UInt64, batch: UInt64)
            case fault(IOMMUFault)
            case reset
        }
    }

    /// Who falls behind by more misses some, and is told how many.
    static let limit = 4096
    private struct Ring {
        var entries: [Entry] = []
        /// Of all that ever came.
        var count: UInt64 = 0
    }

    private let listeners = Atomic<Int>(0)
    private let ring = Mutex(Ring())
    private let start = MonotonicClock.nanoseconds()
    /// Only for the relay's thread.
    private nonisolated(unsafe) var batch: UInt64 = 0

    var isListenedTo: Bool { listeners.load(ordering: .relaxed) > 0 }

    func append(_ request: IOMMURequest, _ status: IOMMUStatus, nanoseconds: UInt64) {
        // SAFETY: the relay's thread calls this and `endBatch()`, nobody else.
        append(.request(request, status, nanoseconds, batch: unsafe batch))
    }
    /// What was answered was in the guest's ring at once; what comes now was not.
    func endBatch() {
        // SAFETY: as above.
        unsafe batch &+= 1
    }
    func append(_ fault: IOMMUFault) { append(.fault(fault)) }
    func appendReset() { append(.reset) }

    private func append(_ what: Entry.What) {
        guard isListenedTo else { return }
        let entry = Entry(nanoseconds: MonotonicClock.nanoseconds(), what: what)
        ring.withLock { ring in
            let place = Int(ring.count % UInt64(Self.limit))
            if place < ring.entries.count { ring.entries[place] = entry } else { ring.entries.append(entry) }
            ring.count += 1
        }
    }

    // MARK: Listeners

    public func join() -> UInt64 {
        listeners.add(1, ordering: .relaxed)
        return ring.withLock { $0.count }
    }

    public func leave() {
        guard listeners.subtract(1, ordering: .relaxed).newValue == 0 else { return }
        ring.withLock { $0.entries = [] }
    }

    public func lines(after position: inout UInt64) -> [UInt8] {
        var missed: UInt64 = 0
        let new = ring.withLock { ring -> [Entry] in
            // What was forgotten while nobody listened cannot be there.
            let oldest = ring.count - min(ring.count, UInt64(ring.entries.count))
            missed = oldest > position ? oldest - position : 0
            defer { position = ring.count }
            return (max(oldest, position)..<ring.count).map { ring.entries[Int($0 % UInt64(Self.limit))] }
        }
        var text = missed > 0 ? JSONValue.object([("kind", .string("missed")), ("count", .unsigned(missed))]).text + "\n" : ""
        for entry in new { text += line(entry) + "\n" }
        return Array(text.utf8)
    }

    private func line(_ entry: Entry) -> String {
        var members: [(String, JSONValue)] = [("at_nanoseconds", .unsigned(entry.nanoseconds &- start))]
        switch entry.what {
        case .request(let request, let status, let nanoseconds, let batch):
            members.append(("batch", .unsigned(batch)))
            members += request.members
            members += [("status", .string("\(status)")), ("took_nanoseconds", .unsigned(nanoseconds))]
        case .fault(let fault): members += [("kind", .string("fault"))] + fault.members
        case .reset: members.append(("kind", .string("reset")))
        }
        return JSONValue.object(members).text
    }
}

extension IOMMURequest {
    fileprivate var members: [(String, JSONValue)] {
        switch self {
        case .attach(let endpoint, let domain, let flags):
            [("kind", .string("attach")), ("endpoint", endpoint.json), ("domain", .integer(Int(domain))), ("flags", .integer(Int(flags)))]
        case .detach(let endpoint, let domain):
            [("kind", .string("detach")), ("endpoint", endpoint.json), ("domain", .integer(Int(domain)))]
        case .map(let domain, let first, let last, let physical, let flags):
            [
                ("kind", .string("map")), ("domain", .integer(Int(domain))), ("first", first.json), ("last", last.json),
                ("physical", physical.rawValue.json), ("flags", .integer(Int(flags))),
            ]
        case .unmap(let domain, let first, let last):
            [("kind", .string("unmap")), ("domain", .integer(Int(domain))), ("first", first.json), ("last", last.json)]
        case .probe(let endpoint): [("kind", .string("probe")), ("endpoint", endpoint.json)]
        }
    }
}

extension IOMMUFault {
    /// For a status or a trace.
    public var members: [(String, JSONValue)] {
        let name = access.contains(.write) ? (access.contains(.read) ? "read-write" : "write") : "read"
        let reason =
            switch reason {
            case .unknown: "lost by the host"
            case .domain: "attached to nothing"
            case .mapping: "not mapped"
            }
        return [
            ("endpoint", endpoint.json), ("address", address.rawValue.json), ("access", .string(name)), ("reason", .string(reason)),
        ]
    }
}

extension FixedWidthInteger {
    fileprivate var json: JSONValue { .string("0x" + String(self, radix: 16)) }
}
