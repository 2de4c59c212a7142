import LinuxIO
import Synchronization
import Testing

@testable import HostBack

/// A relay's side, with `unic relay guard` as the guardian.
struct GuardianLinkTests {
    private func link() throws -> GuardianLink {
        let own = try symbolicLinkTarget(of: "/proc/self/exe")
        let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return try GuardianLink(program: folder + "/unic", arguments: ["relay", "guard"])
    }

    /// A device's file as the guardian sees it: the command register is at 4.
    private func file() throws -> OwnedDescriptor {
        let file = try MemoryFile.create(name: "a device", byteCount: 4096)
        try file.write([0x07], at: 4, subject: "the command register")
        return file
    }

    private func command(_ file: borrowing OwnedDescriptor) throws -> UInt8 {
        try file.read(byteCount: 1, at: 4, subject: "the command register")[0]
    }

    private func wait(until isTrue: () -> Bool) -> Bool {
        let deadline = Deadline(afterMilliseconds: 10_000)
        while !deadline.hasPassed {
            if isTrue() { return true }
            sleep(milliseconds: 1)
        }
        return false
    }

    @Test func goodbyeClearsBusMasterAndEndsTheGuardian() throws {
        let file = try file()
        let link = try link()
        #expect(link.tell(.device(configOffset: 0, name: "0000:01:00.0"), descriptor: file.number))
        #expect(try command(file) == 0x07)
        #expect(link.end() == .exited(0))
        #expect(try command(file) == 0x03)
        #expect(!link.tell(.iommufd, descriptor: file.number))
    }

    @Test func linkThatIsDroppedEndsTheGuardianBeforeItIsGone() throws {
        let file = try file()
        try { _ = try link().tell(.device(configOffset: 0, name: "0000:01:00.0"), descriptor: file.number) }()
        #expect(try command(file) == 0x03)
    }

    /// Although the process lives and its end of the socket is open: this is how a killed process looks until its memory is gone.
    @Test func deathOfTheRelaysThreadIsSeenBeforeTheSocketsEnd() throws {
        let file = try file()
        let link = try link()
        #expect(link.tell(.device(configOffset: 0, name: "0000:01:00.0"), descriptor: file.number))
        let isAdded = try WorkerThread { (try? link.addThisThread()) != nil }.join()
        #expect(isAdded)
        // What was told before the death is not lost.
        #expect(wait { (try? command(file)) == 0x03 })
        // No goodbye: it tried to reset what cannot be.
        #expect(link.end() == .exited(1))
    }

    @Test func guardianThatIsKilledIsNoticedAndTakesNothingMore() throws {
        let link = try link()
        let told = Mutex(0)
        try link.watch { told.withLock { $0 += 1 } }
        link.killGuardian()
        #expect(wait { told.withLock { $0 } == 1 })
        let file = try file()
        #expect(!link.tell(.device(configOffset: 0, name: "0000:01:00.0"), descriptor: file.number))
        #expect(link.end() == .signalled(9))
        sleep(milliseconds: 20)
        #expect(told.withLock { $0 } == 1)
    }

    @Test func endThatWasAskedForIsNoLoss() throws {
        let link = try link()
        let told = Mutex(0)
        try link.watch { told.withLock { $0 += 1 } }
        #expect(link.end() == .exited(0))
        sleep(milliseconds: 50)
        #expect(told.withLock { $0 } == 0)
    }

    @Test(arguments: ["/nonexistent/guardian", "true", "cat"]) func programThatIsNoGuardianIsAnError(program: String) {
        #expect(throws: SystemCallError.self) { try GuardianLink(program: program, arguments: []) }
    }
}
