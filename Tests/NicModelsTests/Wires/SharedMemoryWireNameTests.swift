import DeviceMemory
import Glibc
import LinuxIO
import NicModels
import Testing

@Suite struct SharedMemoryWireNameTests {
    @Test(arguments: ["", ".", "..", ".hidden", "a/b", "../x", "a b", "ä", "a\0b", "a\n", String(repeating: "x", count: 65)])
    func aNameThatIsNoFileNameIsRefused(name: String) throws {
        let directory = try WireDirectory()
        do {
            _ = try SharedMemoryWire(name: name, directory: directory.path)
            Issue.record("\(name) was accepted")
        } catch WireError.badName(_, let reason) {
            #expect(!reason.isEmpty)
        }
    }

    @Test(arguments: ["w", "A-1_b.c", "mpi-123456", String(repeating: "x", count: 64)])
    func anOrdinaryNameIsAccepted(name: String) throws {
        let directory = try WireDirectory()
        #expect(try SharedMemoryWire(name: name, directory: directory.path).name == name)
    }

    @Test func aDirectoryThatOthersMayEnterIsRefused() throws {
        let directory = try WireDirectory()
        // SAFETY: the C string lives for the call.
        #expect(unsafe chmod(directory.path, 0o755) == 0)
        #expect { try directory.join() } throws: { "\($0)".contains("its mode 755 lets others in") }
    }

    @Test func aDirectoryBehindALinkIsRefused() throws {
        let directory = try WireDirectory()
        let link = directory.file("two")
        // SAFETY: the C strings live for the call.
        #expect(unsafe symlink("/dev/shm", link) == 0)
        #expect(throws: WireError.self) { try SharedMemoryWire(name: "w", directory: link) }
    }

    @Test func aFileBehindALinkIsRefused() throws {
        let directory = try WireDirectory()
        // SAFETY: the C strings live for the call.
        #expect(unsafe symlink("/dev/null", directory.file("w")) == 0)
        #expect(throws: WireError.self) { try directory.join() }
    }

    @Test func aFileThatOthersMayReadIsRefused() throws {
        let directory = try WireDirectory()
        let file = try OwnedDescriptor.open(directory.file("w"), flags: O_CREAT | O_RDWR, mode: 0o600)
        #expect(fchmod(file.number, 0o644) == 0)
        #expect { try directory.join() } throws: { "\($0)".contains("its mode 644 lets others in") }
    }
}
