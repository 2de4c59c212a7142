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

    deinit {
        for wire in ["w", "one", "two"] {
            // SAFETY: the C string lives for the call.
            _ = unsafe unlink(file(wire))
        }
        // SAFETY: as above.
        _ = unsafe rmdir(path)
    }
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

extension SharedMemoryWire {
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

private final class OwnedPipeEnd {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { _ = close(number) }
}

/// A `wire-peer` process, which lies beside this test's program.
final class WirePeerProcess {
    private let pid: pid_t
    private let output: OwnedDescriptor
    private var hasEnded = false

    init(_ directory: WireDirectory, _ wire: String, _ mode: [String]) throws {
        var link = [UInt8](repeating: 0, count: 4096)
        // SAFETY: the buffer's own length is given.
        let count = unsafe link.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe readlink("/proc/self/exe", base, buffer.count)
        }
        let program = String(decoding: link.prefix(max(count, 0)), as: UTF8.self)
        let path = program.prefix(through: program.lastIndex(of: "/") ?? program.startIndex) + "wire-peer"
        var ends: [Int32] = [0, 0]
        // SAFETY: two numbers of our own.
        try systemCall("pipe", on: "wire-peer's output") { unsafe pipe(&ends) }
        // Copies that are closed by exec: other peers must not keep this pipe open.
        let made = (OwnedPipeEnd(ends[0]), OwnedPipeEnd(ends[1]))
        output = try OwnedDescriptor.duplicate(of: made.0.number)
        let input = try OwnedDescriptor.duplicate(of: made.1.number)
        var actions = unsafe posix_spawn_file_actions_t()
        // SAFETY: the actions are ours, made and destroyed here; the strings are freed after the call, which copies them.
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, input.number, 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe ([String(path), directory.path, wire] + mode).map { unsafe strdup($0) } + [nil]
        var child: pid_t = 0
        // SAFETY: as above; the argument list ends in nil.
        let code = unsafe posix_spawn(&child, String(path), &actions, nil, &arguments, nil)
        unsafe posix_spawn_file_actions_destroy(&actions)
        for unsafe argument in unsafe arguments { unsafe free(argument) }
        guard code == 0 else { throw FixtureError(reason: "posix_spawn of \(path): errno \(code)") }
        pid = child
    }

    /// The next bytes that it says; empty when it has ended.
    func read() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 256)
        let number = output.number
        let got = try systemCall("read", on: "wire-peer") { () -> Int in
            // SAFETY: the buffer's own length is given.
            unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(number, $0.baseAddress, $0.count) }
        }
        return String(decoding: bytes.prefix(got), as: UTF8.self)
    }

    /// kill -9, and waits until it is gone.
    func killNow() {
        guard !hasEnded else { return }
        hasEnded = true
        _ = kill(pid, SIGKILL)
        _ = waitpid(pid, nil, 0)
    }

    deinit { killNow() }
}

/// A thread of its own for code that blocks: the test runner's threads are few.
final class TestThread: @unchecked Sendable {
    private let body: @Sendable () -> Int
    private var result = 0
    private var thread = pthread_t()

    init(_ body: @escaping @Sendable () -> Int) {
        self.body = body
        let me = unsafe Unmanaged.passRetained(self)
        // SAFETY: the thread takes over the reference that was made for it.
        let code = unsafe pthread_create(&thread, nil, { argument in
            // SAFETY: as above.
            guard let argument = unsafe argument else { return nil }
            let thread = unsafe Unmanaged<TestThread>.fromOpaque(argument).takeRetainedValue()
            thread.result = thread.body()
            return nil
        }, unsafe me.toOpaque())
        precondition(code == 0, "no thread")
    }

    /// Waits for its end.
    func join() -> Int {
        _ = pthread_join(thread, nil)
        return result
    }
}
