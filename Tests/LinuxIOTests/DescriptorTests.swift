import CLinuxShims
import Glibc
import LinuxIO
import SystemPackage
import Testing

@Suite struct DescriptorTests {
    static func isOpen(_ number: Int32) -> Bool { unic_fcntl(number, F_GETFD, 0) != -1 }

    @Test func descriptorIsClosedWithItsOwner() throws {
        // A number far above those that parallel tests reuse.
        let number: Int32
        do {
            let file = try OwnedDescriptor.open("/dev/null", flags: O_RDONLY)
            let high = try systemCall("fcntl(F_DUPFD)", on: "a test") { unic_fcntl(file.number, F_DUPFD_CLOEXEC, 800) }
            let owner = OwnedDescriptor(adopting: high)
            number = owner.number
            #expect(Self.isOpen(number))
            _ = consume owner
        }
        #expect(!Self.isOpen(number))
    }

    @Test func releasedDescriptorStaysOpen() throws {
        let number = try OwnedDescriptor.open("/dev/null", flags: O_RDONLY).release()
        #expect(Self.isOpen(number))
        close(number)
    }

    @Test func openAndDuplicateAreCloseOnExec() throws {
        let file = try OwnedDescriptor.open("/dev/null", flags: O_RDONLY)
        let copy = try file.duplicate()
        let (one, other) = (file.number, copy.number)
        #expect(one != other)
        #expect(unic_fcntl(one, F_GETFD, 0) & FD_CLOEXEC != 0 && unic_fcntl(other, F_GETFD, 0) & FD_CLOEXEC != 0)
        _ = consume copy
        #expect(Self.isOpen(one))
        _ = consume file
    }

    @Test func failureNamesCallSubjectAndCode() {
        do throws(SystemCallError) {
            _ = try OwnedDescriptor.open("/nowhere/at/all", flags: O_RDONLY)
            Issue.record("a file that is not there was opened")
        } catch {
            #expect(error == SystemCallError(call: "open", subject: "/nowhere/at/all", errno: .noSuchFileOrDirectory))
            #expect(error.description.contains("open of /nowhere/at/all failed") && error.description.contains("errno 2"))
        }
    }
}

@Suite struct SystemCallTests {
    @Test func interruptedCallIsMadeAgain() throws {
        var calls = 0
        let result = try systemCall("test", on: "nothing") { () -> Int in
            calls += 1
            errno = EINTR
            return calls < 4 ? -1 : 7
        }
        #expect(result == 7 && calls == 4)
    }

    @Test func otherFailureIsThrownAtOnce() {
        var calls = 0
        #expect(throws: SystemCallError(call: "test", subject: "nothing", errno: .permissionDenied)) {
            try systemCall("test", on: "nothing") { () -> Int in
                calls += 1
                errno = EACCES
                return -1
            }
        }
        #expect(calls == 1)
    }
}

@Suite struct EventFDTests {
    @Test func signalsAddUpAndDrainTakesThemAll() throws {
        let event = try EventFD()
        for _ in 0..<3 { event.signal() }
        let (first, second) = (event.drain(), event.drain())
        #expect(first == 3 && second == 0)
    }

    @Test func waitingSeesOnlyTheSignalledOne() throws {
        let quiet = try EventFD()
        let loud = try EventFD()
        let numbers = [quiet.number, loud.number]
        #expect(waitForReadable(numbers, timeoutMilliseconds: 0) == [])
        loud.signal()
        #expect(waitForReadable(numbers, timeoutMilliseconds: 1000) == [1])
        _ = loud.drain()
        #expect(waitForReadable(numbers, timeoutMilliseconds: 0) == [])
        _ = consume quiet
        _ = consume loud
    }
}

@Suite struct DeadlineTests {
    @Test func nearPassesAndFarNeverDoes() {
        #expect(Deadline(afterMilliseconds: 0).hasPassed && Deadline(afterMilliseconds: 0).remainingMilliseconds == 0)
        let far = Deadline(afterMilliseconds: .max)
        #expect(!far.hasPassed && far.remainingMilliseconds == .max)
        let minute = Deadline(afterMilliseconds: 60_000)
        #expect(!minute.hasPassed && (59_000...60_000).contains(minute.remainingMilliseconds))
    }
}
