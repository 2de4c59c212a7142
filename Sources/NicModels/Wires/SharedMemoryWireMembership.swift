import DeviceMemory
import LinuxIO
import SystemPackage

/// One end's place in a wire's file: the open file, the lock that owns the end, and the socket that wakes it.
/// Joining and leaving happen under one lock; the kernel drops both locks when a process dies.
struct WireMembership: ~Copyable {
    let wire: String
    private let directory: PrivateDirectory
    private let file: OwnedDescriptor
    private let pages: MappedPages
    /// Which of the ends.
    let end: Int
    /// Odd; another one each time that somebody takes this end.
    let generation: UInt32
    let wakeSocket: WakeSocket
    private let inode: UInt64

    /// The whole file. Valid while this value lives.
    var memory: MemoryWindow {
        // SAFETY: exactly the mapping that this value owns; the wire uses it only while it has this value.
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }

    /// Joins a wire, making its file if nobody is on it. The end's words are in order before anyone sees it as joined.
    static func join(wire: String, directoryPath: String) throws(WireError) -> WireMembership {
        let fileName = try fileName(ofWire: wire)
        let deadline = Deadline(afterMilliseconds: joinTimeoutMilliseconds)
        while true {
            let directory = try onWire(wire) { () throws(SystemCallError) in try PrivateDirectory(path: directoryPath) }
            let file = try onWire(wire) { () throws(SystemCallError) in try directory.openFile(fileName) }
            guard try lockMembership(file, wire: wire, timeoutMilliseconds: joinTimeoutMilliseconds) else {
                throw .busy(wire: wire, milliseconds: joinTimeoutMilliseconds)
            }
            let status = try onWire(wire) { () throws(SystemCallError) in try file.status(fileName) }
            // The last end removed the name after it was opened here: the name is free now, or is another file's.
            if status.linkCount == 0 { continue }

            try prepare(file, byteCount: status.byteCount, wire: wire, path: "\(directoryPath)/\(fileName)")
            let pages = try onWire(wire) { () throws(SystemCallError) in
                try MappedPages(sharing: file, byteCount: WireLayout.byteCount, subject: fileName)
            }
            // SAFETY: the mapping lives to the end of this call, and then in the value that it returns.
            let memory = unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
            try checkHeader(memory, wire: wire, path: "\(directoryPath)/\(fileName)")
            guard let end = try takeEnd(file, wire: wire) else {
                // Processes that end are leaving: a job that starts others again and again has more than fit for a moment.
                if deadline.hasPassed { throw .full(wire: wire, endCount: WireLayout.endCount) }
                try onWire(wire) { () throws(SystemCallError) in try file.unlock(byte: WireLayout.membershipLockByte) }
                _ = waitForReadable([], timeoutMilliseconds: 10)
                continue
            }
            try reserveRings(of: end, file, memory, wire: wire)
            var generation = memory.loadAcquire32(at: WireLayout.generationOffset(end))
            let socket = try bindWakeSocket(end, &generation, status.inode, wire)
            announce(end, generation, memory)
            try onWire(wire) { () throws(SystemCallError) in try file.unlock(byte: WireLayout.membershipLockByte) }
            return WireMembership(
                wire: wire, directory: directory, file: file, pages: pages, end: end, generation: generation, wakeSocket: socket,
                inode: status.inode)
        }
    }

    /// Tells the others, and removes the file if nobody else is on it: whoever opened it meanwhile waits for the membership
    /// lock, and then sees that it has no name. If the lock cannot be had, it is as if the process had died.
    borrowing func leave() {
        let memory = memory
        let isLocked = (try? WireMembership.lockMembership(file, wire: wire, timeoutMilliseconds: 200)) ?? false
        memory.storeRelease32(generation &+ 1, at: WireLayout.generationOffset(end))
        guard isLocked else { return }
        WireMembership.bumpMembership(memory)
        if (try? file.isLockedElsewhere(bytes: 0..<WireLayout.endCount)) == false, let name = try? WireMembership.fileName(ofWire: wire),
            let status = try? file.status(name), status.linkCount > 0
        {
            try? directory.removeFile(name)
        }
        // The locks go with the file, when this value goes; until then nobody takes the end.
        try? file.unlock(byte: WireLayout.membershipLockByte)
    }

    /// Whether a living process holds an end.
    borrowing func isHeld(_ other: Int) -> Bool {
        let byte = WireLayout.lockByte(other)
        return (try? file.isLockedElsewhere(bytes: byte..<byte + 1)) ?? true
    }

    /// The wake-up socket of an end in one of its generations.
    borrowing func wakeName(_ other: Int, generation: UInt32) -> [UInt8] {
        WireMembership.wakeName(wire, inode, other, generation)
    }
}

// Joining, step by step. All of it holds the membership lock.
extension WireMembership {
    static var joinTimeoutMilliseconds: UInt64 { 2000 }

    /// - Throws: `.badName`. A name is one part of a path, and cannot be "." or "..".
    static func fileName(ofWire wire: String) throws(WireError) -> String {
        let bytes = Array(wire.utf8)
        guard !bytes.isEmpty else { throw .badName(wire, reason: "it is empty") }
        guard bytes.count <= 64 else { throw .badName(String(wire.prefix(64)) + "…", reason: "it has \(bytes.count) bytes") }
        guard bytes[0] != UInt8(ascii: ".") else { throw .badName(wire, reason: "it begins with '.'") }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                continue
            default: throw .badName(wire, reason: "it has another byte than those allowed (0x\(String(byte, radix: 16)))")
            }
        }
        return wire + ".wire"
    }

    /// Waits for the membership lock, which is held for microseconds unless its holder is stopped.
    private static func lockMembership(_ file: borrowing OwnedDescriptor, wire: String, timeoutMilliseconds: UInt64) throws(WireError)
        -> Bool
    {
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        while true {
            if try onWire(wire, { () throws(SystemCallError) in try file.tryLock(byte: WireLayout.membershipLockByte) }) { return true }
            if deadline.hasPassed { return false }
            _ = waitForReadable([], timeoutMilliseconds: 1)
        }
    }

    /// A file that nobody is on holds nothing that matters: it is made anew. One in use must have the right size.
    private static func prepare(_ file: borrowing OwnedDescriptor, byteCount: Int, wire: String, path: String) throws(WireError) {
        let isInUse = try onWire(wire) { () throws(SystemCallError) in try file.isLockedElsewhere(bytes: 0..<WireLayout.endCount) }
        if isInUse {
            guard byteCount == WireLayout.byteCount else { throw .otherVersion(wire: wire, path: path) }
            return
        }
        try onWire(wire) { () throws(SystemCallError) in
            try file.resize(to: 0, subject: path)
            try file.resize(to: WireLayout.byteCount, subject: path)
        }
        try withRoom(wire) { () throws(SystemCallError) in try file.reserve(0..<WireLayout.dataOffset, subject: path) }
    }

    private static func checkHeader(_ memory: MemoryWindow, wire: String, path: String) throws(WireError) {
        if memory.loadAcquire64(at: WireLayout.magicOffset) == 0 {
            memory.store32(WireLayout.version, at: WireLayout.versionOffset)
            memory.store32(UInt32(WireLayout.endCount), at: WireLayout.endCountOffset)
            memory.store32(UInt32(WireLayout.ringByteCount), at: WireLayout.ringByteCountOffset)
            memory.storeRelease64(WireLayout.magic, at: WireLayout.magicOffset)
        }
        guard memory.loadAcquire64(at: WireLayout.magicOffset) == WireLayout.magic,
            memory.load32(at: WireLayout.versionOffset) == WireLayout.version,
            memory.load32(at: WireLayout.endCountOffset) == UInt32(WireLayout.endCount),
            memory.load32(at: WireLayout.ringByteCountOffset) == UInt32(WireLayout.ringByteCount)
        else { throw .otherVersion(wire: wire, path: path) }
    }

    /// The lowest end that no living process has; nil if all are taken.
    private static func takeEnd(_ file: borrowing OwnedDescriptor, wire: String) throws(WireError) -> Int? {
        for end in 0..<WireLayout.endCount {
            if try onWire(wire, { () throws(SystemCallError) in try file.tryLock(byte: WireLayout.lockByte(end)) }) { return end }
        }
        return nil
    }

    /// Sets memory aside for the rings to and from everyone who is there, so that writing a frame cannot meet a full file
    /// system, which would be a SIGBUS. Whoever comes later does the same.
    private static func reserveRings(of end: Int, _ file: borrowing OwnedDescriptor, _ memory: MemoryWindow, wire: String) throws(WireError)
    {
        for other in 0..<WireLayout.endCount where other != end {
            guard memory.load32(at: WireLayout.generationOffset(other)) & 1 == 1 else { continue }
            for start in [WireLayout.ringOffset(from: end, to: other), WireLayout.ringOffset(from: other, to: end)] {
                try withRoom(wire) { () throws(SystemCallError) in
                    try file.reserve(start..<start + WireLayout.ringByteCount, subject: "two rings")
                }
            }
        }
    }

    /// Goes on to the next odd generation, and further while somebody else has its name: another user can take names, not
    /// frames.
    private static func bindWakeSocket(
        _ end: Int, _ generation: inout UInt32, _ inode: UInt64, _ wire: String
    ) throws(WireError) -> WakeSocket {
        for _ in 0..<15 {
            generation = (generation &+ 1) | 1
            do {
                return try WakeSocket(name: wakeName(wire, inode, end, generation))
            } catch  where error.errno == .addressInUse {
                continue
            } catch {
                throw .systemCall(wire: wire, cause: error)
            }
        }
        throw .systemCall(wire: wire, cause: SystemCallError(call: "bind", subject: "a wake-up socket", errno: .addressInUse))
    }

    private static func announce(_ end: Int, _ generation: UInt32, _ memory: MemoryWindow) {
        memory.store64(0, at: WireLayout.filterOffset(end))
        // Positions never go back. What was sent to the end's last owner is skipped; a sender that holds an older head only
        // thinks that there is less room than there is.
        for other in 0..<WireLayout.endCount where other != end {
            let tail = memory.loadAcquire64(at: WireLayout.tailOffset(from: other, to: end)) & ~63
            memory.storeRelease64(tail, at: WireLayout.headOffset(from: other, to: end))
        }
        memory.storeRelease32(generation, at: WireLayout.generationOffset(end))
        bumpMembership(memory)
    }

    private static func bumpMembership(_ memory: MemoryWindow) {
        memory.storeRelease32(memory.load32(at: WireLayout.membershipOffset) &+ 1, at: WireLayout.membershipOffset)
    }

    /// At most 107 bytes; what makes it unique comes first.
    private static func wakeName(_ wire: String, _ inode: UInt64, _ end: Int, _ generation: UInt32) -> [UInt8] {
        let text = "unic/\(effectiveUser)/\(String(inode, radix: 16))/\(end)/\(generation)/\(wire)"
        return Array(text.utf8.prefix(107))
    }
}

private func onWire<Result: ~Copyable>(_ wire: String, _ body: () throws(SystemCallError) -> Result) throws(WireError) -> Result {
    do { return try body() } catch { throw .systemCall(wire: wire, cause: error) }
}

private func withRoom(_ wire: String, _ body: () throws(SystemCallError) -> Void) throws(WireError) {
    do { try body() } catch  where error.errno == .noSpace {
        throw .noRoom(wire: wire, cause: error)
    } catch {
        throw .systemCall(wire: wire, cause: error)
    }
}
