import LinuxIO
import Synchronization
import Testing

struct DeathNoticeTests {
    /// The thread's death and no other: the process lives on.
    @Test func deathOfTheThreadIsToldAndItsLifeIsNot() throws {
        let file = Mutex<OwnedDescriptor?>(nil)
        let end = StopFlag()
        let thread = try WorkerThread {
            file.withLock { $0 = try? DeathNotice.ofThisThread() }
            while !end.isRaised { sleep(milliseconds: 1) }
        }
        var notice: DeathNotice?
        let deadline = Deadline(afterMilliseconds: 10_000)
        while notice == nil, !deadline.hasPassed {
            notice = try file.withLock { file throws in
                switch file {
                case .some(let descriptor): try DeathNotice(descriptor)
                case .none: nil
                }
            }
        }
        let made = try #require(notice)
        let isDead = StopFlag()
        let waiter = try WorkerThread {
            made.awaitDeath()
            isDead.raise()
        }
        sleep(milliseconds: 50)
        #expect(!isDead.isRaised)
        end.raise()
        thread.join()
        waiter.join()
        #expect(isDead.isRaised)
    }

    @Test func fileThatIsNoNoticeIsRefused() throws {
        let short = try MemoryFile.create(name: "short", byteCount: 100)
        #expect(throws: SystemCallError.self) { try DeathNotice(short) }
        let device = try OwnedDescriptor.open("/dev/zero", flags: 2)
        #expect(throws: SystemCallError.self) { try DeathNotice(device) }
    }
}
