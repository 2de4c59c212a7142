import DeviceAccess
import DeviceMemory
import IOMMURelay
import LinuxIO
import Synchronization
import SystemPackage
import Testing

/// An address space as the kernel's: nothing is mapped twice or cut, and an unmap of nothing is refused.
final class ScriptedSpace: HostAddressSpace {
    struct Mapped: Equatable {
        var range: IOVARange
        var processAddress: UInt64
        var access: DMAAccess
    }
    struct State {
        var mapped: [Mapped] = []
        /// Errors of the maps to come, by number.
        var failures: [Int: Errno] = [:]
        var maps = 0
        var unmaps = 0
        var refusesUnmaps = false
        var largestMap: UInt64 = 0
        var largestUnmap: UInt64 = 0
        var madeBytes: UInt64 = 0
    }
    let state = Mutex(State())

    var mapped: [Mapped] { state.withLock { $0.mapped.sorted { $0.range.start < $1.range.start } } }
    func fail(map number: Int, _ errno: Errno) { state.withLock { $0.failures[number] = errno } }

    func map(_ range: IOVARange, processAddress: UInt64, access: DMAAccess) throws(HostMapRefusal) {
        let errno: Errno? = state.withLock { state in
            state.maps += 1
            state.largestMap = max(state.largestMap, range.byteCount)
            if let errno = state.failures[state.maps] { return errno }
            if state.mapped.contains(where: { $0.range.overlaps(range) }) { return .fileExists }
            state.mapped.append(Mapped(range: range, processAddress: processAddress, access: access))
            return nil
        }
        guard let errno else { return }
        let cause = SystemCallError(call: "MAP", subject: "\(range)", errno: errno)
        throw HostMapRefusal(cause: cause, explanation: .systemCall(device: "test", group: nil, cause: cause, fix: "None."))
    }

    func unmap(_ range: IOVARange) throws(DeviceError) -> UInt64 {
        let byteCount: UInt64? = state.withLock { state in
            state.unmaps += 1
            state.largestUnmap = max(state.largestUnmap, range.byteCount)
            let inside = state.mapped.filter { $0.range.overlaps(range) }
            guard !state.refusesUnmaps, !inside.isEmpty, inside.allSatisfy({ range.contains($0.range) }) else { return nil }
            state.mapped.removeAll { $0.range.overlaps(range) }
            return inside.reduce(0) { $0 + $1.range.byteCount }
        }
        guard let byteCount else { throw .unmapDMA(device: "test", range: range, reason: "the test refuses") }
        return byteCount
    }

    /// Nothing is pinned here.
    func makePages(processAddress: UInt64, byteCount: UInt64, access: DMAAccess) { state.withLock { $0.madeBytes += byteCount } }

    func unmapAll() throws(DeviceError) {
        state.withLock { state in
            state.unmaps += 1
            state.largestUnmap = max(state.largestUnmap, state.mapped.reduce(0) { $0 + $1.range.byteCount })
            state.mapped = []
        }
    }

    var madeBytes: UInt64 { state.withLock { $0.madeBytes } }
    var mapCount: Int { state.withLock { $0.maps } }
    var callCount: Int { state.withLock { $0.maps + $0.unmaps } }
    var largestMap: UInt64 { state.withLock { $0.largestMap } }
    var largestUnmap: UInt64 { state.withLock { $0.largestUnmap } }
}

/// A device that is moved between spaces.
final class ScriptedDevice: AttachableDevice {
    private(set) var space: ScriptedSpace?
    private(set) var calls: [String] = []
    var attachFailure: Errno?
    var refusesDetach = false

    /// What was mapped in a space when the device came into it, or left it: the kernel would have pinned it then, or unpinned, at once.
    private(set) var mappedWhenMoved = 0

    func attach(_ space: ScriptedSpace) throws(DeviceError) {
        calls.append("attach")
        mappedWhenMoved += space.mapped.count
        if let attachFailure {
            let cause = SystemCallError(call: "ATTACH", subject: "test", errno: attachFailure)
            throw .systemCall(device: "test", group: nil, cause: cause, fix: "None.")
        }
        self.space = space
    }

    func detach() throws(DeviceError) {
        calls.append("detach")
        mappedWhenMoved += space?.mapped.count ?? 0
        guard !refusesDetach else { throw .unmapDMA(device: "test", range: range(0, 0xfff), reason: "the test refuses") }
        space = nil
    }
}

/// A guest's memory: two pieces that follow one another, and ROM behind a hole.
final class GuestBench {
    let memory: DMAMemory
    let guest = DMASpace()
    static let low = range(0, 0xf_ffff)
    static let high = range(0x10_0000, 0x1f_ffff)
    static let rom = range(0x80_0000, 0x80_ffff)

    init() throws {
        memory = try DMAMemory.ordinary(byteCount: 4 << 20)
        // The second piece is in front of the first one in this process.
        try guest.map(Self.low, to: memory.window.slice(at: 0x10_0000, byteCount: 0x10_0000), access: .readWrite)
        try guest.map(Self.high, to: memory.window.slice(at: 0, byteCount: 0x10_0000), access: .readWrite)
        try guest.map(Self.rom, to: memory.window.slice(at: 0x30_0000, byteCount: 0x1_0000), access: .read)
    }

    func address(_ offset: UInt64) -> UInt64 { memory.processAddress + offset }
}

func range(_ first: UInt64, _ last: UInt64) -> IOVARange {
    guard let range = IOVARange(first: first, last: last) else { preconditionFailure("a range of the test's own") }
    return range
}

func mapping(_ first: UInt64, _ last: UInt64, to physical: UInt64, _ access: DMAAccess = .readWrite) -> IOVAMapping {
    IOVAMapping(range: range(first, last), physical: GuestPhysicalAddress(physical), access: access)
}
