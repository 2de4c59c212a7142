import DeviceMemory
import Glibc
import LinuxIO
import NicModels

struct FixtureError: Error { let reason: String }

/// A directory for one test's wires, removed with what is in it.
final class WireDirectory {
    let path: String

    init() throws {
        var template = Array("/dev/shm/unic-test-XXXXXX".utf8CString)
        // SAFETY: a zero-terminated array of our own, which mkdtemp fills in place.
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return false }
            return unsafe mkdtemp(base) != nil
        }
        guard made else { throw FixtureError(reason: "mkdtemp in /dev/shm") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func file(_ wire: String) -> String { "\(path)/\(wire).wire" }

    func exists(_ wire: String) -> Bool {
        // SAFETY: the C string lives for the call.
        unsafe access(file(wire), F_OK) == 0
    }

    func join(_ wire: String = "w") throws -> SharedMemoryWire { try SharedMemoryWire(name: wire, directory: path) }

    /// Takes places of the wire "w", which somebody is on, without being there.
    func hold(_ ends: Range<Int>) throws -> HeldPlaces {
        let places = HeldPlaces(file: try OwnedDescriptor.open(file("w"), flags: O_RDWR))
        for end in ends {
            guard try places.file.tryLock(byte: end) else { throw FixtureError(reason: "place \(end) is taken") }
        }
        return places
    }

    deinit {
        for wire in ["w", "one", "two"] {
            // SAFETY: the C string lives for the call.
            _ = unsafe unlink(file(wire))
        }
        // SAFETY: as above.
        _ = unsafe rmdir(path)
    }
}

/// Until this goes, nobody gets them.
final class HeldPlaces {
    let file: OwnedDescriptor
    init(file: consuming OwnedDescriptor) { self.file = file }
}

/// Memory for a frame that a test sends.
final class TestFrame {
    private let memory: DMAMemory
    init() throws { memory = try DMAMemory.ordinary(byteCount: wireMaximumFrameByteCount) }

    func callAsFunction(_ bytes: [UInt8]) -> MemoryWindow {
        let window = memory.window.slice(at: 0, byteCount: bytes.count)
        window.store(bytes, at: 0)
        return window
    }
}

extension Wire {
    /// Takes the next frame out.
    func receive() -> [UInt8]? {
        guard let frame = nextReceived() else { return nil }
        let bytes = frame.bytes(at: 0, byteCount: frame.byteCount)
        dropReceived()
        return bytes
    }
}

/// A broadcast frame of `byteCount` bytes.
func broadcast(_ byteCount: Int, fill: UInt8 = 0x5a) -> [UInt8] {
    [UInt8](repeating: 0xff, count: 6) + [UInt8](repeating: fill, count: byteCount - 6)
}

/// Steele, Lea and Flood's SplitMix64, for runs that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z &>> 31)
    }
}

/// A `wire-peer` process; the program lies beside this test's.
final class WirePeerProcess {
    private let child: ChildProcess
    private var readCount = 0

    init(_ directory: WireDirectory, _ wire: String, _ mode: [String]) throws {
        child = try ChildProcess(Self.program(), arguments: [directory.path, wire] + mode)
    }

    static func program() throws -> String {
        let own = try symbolicLinkTarget(of: "/proc/self/exe")
        return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/wire-peer"
    }

    /// The next line that it says; nil if it ended or was silent for 10 s.
    func nextLine() -> String? {
        let start = readCount
        guard child.readOutput(timeoutMilliseconds: 10_000, until: { $0.standardOutput[start...].contains(10) }),
            let end = child.standardOutput[start...].firstIndex(of: 10)
        else { return nil }
        readCount = end + 1
        return String(decoding: child.standardOutput[start..<end], as: UTF8.self)
    }

    /// How it ended by itself; nil if it runs after 10 s.
    func end() -> ChildProcess.Exit? { child.wait(timeoutMilliseconds: 10_000) }

    /// kill -9, and waits until it is gone.
    func killNow() -> ChildProcess.Exit? {
        child.send(signal: SIGKILL)
        return child.wait(timeoutMilliseconds: 10_000)
    }
}
