public import DeviceAccess
public import LinuxIO
import Synchronization

/// A relay's side of its guardian: tells it what to guard, and notices its end. Any thread may call.
public final class GuardianLink: Sendable {
    /// What a guardian says once, when it is ready.
    static let ready: UInt8 = 1

    private struct Guarding {
        let process: ChildProcess
        /// The guardian takes no messages any more.
        var isLost = false
    }

    private let socket: UnixSocket
    private let guarding: Mutex<Guarding>
    private let isEnding = Atomic<Bool>(false)

    /// Starts a program as the guardian, with the link as its standard input: before any device is opened.
    /// - Throws: also when it is not ready within ten seconds.
    public init(program: String, arguments: [String]) throws(SystemCallError) {
        var started: ChildProcess?
        socket = try UnixSocketPair().split {
            (ours: consuming UnixSocket, theirs: consuming UnixSocket) throws(SystemCallError) -> UnixSocket in
            started = try ChildProcess(inOwnSession: program, arguments: arguments, input: theirs.number)
            return ours
        }
        guard let process = started else { preconditionFailure("a process was started") }
        guarding = Mutex(Guarding(process: process))
        try awaitReadiness(program)
    }

    /// A relay that could not be made ends no less than one that has served.
    deinit { if !isEnding.load(ordering: .acquiring) { end() } }

    private func awaitReadiness(_ program: String) throws(SystemCallError) {
        _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: 10_000)
        var byte: [UInt8] = [0]
        var none: [ReceivedDescriptor] = []
        let outcome = try socket.receive(into: &byte, from: 0, byteCount: 1, descriptors: &none)
        guard case .bytes(1, _) = outcome, byte[0] == Self.ready else {
            throw SystemCallError(call: "start", subject: "\(program) as the relay's guardian", errno: .noSuchProcess)
        }
    }

    // MARK: What to guard

    public func add(_ device: KernelVFIODevice) throws(DeviceError) {
        let file = try device.duplicateFile()
        let offset = try device.fileOffset(ofRegion: KernelVFIODevice.configRegionNumber)
        try insist(.device(configOffset: offset, name: "\(device.address)"), file, device.url)
    }

    public func add(_ space: Type1AddressSpace, name: String, for url: String) throws(DeviceError) {
        try insist(.container(name: name), try space.duplicateFile(), url)
    }

    public func add(_ context: IOMMUFDContext, for url: String) throws(DeviceError) {
        try insist(.iommufd, try context.duplicateFile(), url)
    }

    /// An address space of a context with which it is guarded as long as it is there. It is made also when the guardian is lost.
    public func makeAddressSpace(_ context: IOMMUFDContext) throws(DeviceError) -> IOAS {
        let space = try context.makeAddressSpace { [self] id in tell(.spaceGone(id)) }
        tell(.spaceMade(space.id))
        return space
    }

    /// From now on the end of the calling thread is the relay's: seen before the kernel has taken the guest's memory from this process.
    public func addThisThread() throws(SystemCallError) {
        let notice = try DeathNotice.ofThisThread()
        tell(.deathNotice, descriptor: notice.number)
    }

    private func insist(_ message: GuardianMessage, _ file: borrowing OwnedDescriptor, _ url: String) throws(DeviceError) {
        guard tell(message, descriptor: file.number) else {
            throw .notUsable(
                device: url, group: nil, reason: "the relay's guardian has ended, which quiets the device if the relay is killed",
                fix: "Start the relay again.")
        }
    }

    /// False: the guardian is lost. It is told nothing any more then: a guardian that takes no messages for a second misses some.
    @discardableResult func tell(_ message: GuardianMessage, descriptor: Int32? = nil) -> Bool {
        guarding.withLock { guarding in
            guard !guarding.isLost else { return false }
            let bytes = message.bytes
            for attempt in 0..<2 {
                let sent: Int?
                do throws(SystemCallError) { sent = try socket.send(bytes, descriptors: descriptor.map { [$0] } ?? []) } catch { break }
                if sent == bytes.count { return true }
                guard sent == nil, attempt == 0 else { break }
                _ = waitForEvents([PollRequest(socket.number, .writable)], timeoutMilliseconds: 1000)
            }
            guarding.isLost = true
            // What it has it quiets, if it still lives; and whoever watches notices.
            socket.shutDown()
            return false
        }
    }

    // MARK: Its end

    /// Calls `lost` on a thread of its own when the guardian ends before it is asked to.
    public func watch(_ lost: @escaping @Sendable () -> Void) throws(SystemCallError) {
        _ = try WorkerThread { [self] in
            while waitForEvents([PollRequest(socket.number, .peerClosed)], timeoutMilliseconds: -1)[0].isEmpty {}
            guarding.withLock { $0.isLost = true }
            if !isEnding.load(ordering: .acquiring) { lost() }
        }
    }

    /// For tests.
    func killGuardian() { guarding.withLock { $0.process.send(signal: 9) } }

    /// The relay ends, its devices are reset: the guardian unmaps what is left, and is gone with its descriptors when this returns.
    /// - Returns: how it ended; nil: not within five seconds, or it was gone before.
    @discardableResult public func end() -> ChildProcess.Exit? {
        isEnding.store(true, ordering: .releasing)
        tell(.goodbye)
        _ = waitForEvents([PollRequest(socket.number, .peerClosed)], timeoutMilliseconds: 5000)
        return guarding.withLock { $0.process.wait(timeoutMilliseconds: 1000) }
    }
}
