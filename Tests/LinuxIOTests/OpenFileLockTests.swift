import Glibc
import LinuxIO
import Testing

@Suite struct OpenFileLockTests {
    @Test func twoOpensInOneProcessExcludeEachOther() throws {
        let file = try TemporaryFile()
        let a = try file.open(), b = try file.open()
        #expect(try a.tryLock(byte: 3))
        #expect(try a.tryLock(byte: 3), "one's own lock is no obstacle")
        #expect(try !b.tryLock(byte: 3))
        #expect(try b.tryLock(byte: 4))
        #expect(try b.isLockedElsewhere(bytes: 0..<8))
        #expect(try !b.isLockedElsewhere(bytes: 4..<8))
        #expect(try !a.isLockedElsewhere(bytes: 3..<4))
        try a.unlock(byte: 3)
        #expect(try b.tryLock(byte: 3))
    }

    @Test func aLockGoesWithTheLastDescriptorOfItsOpenFile() throws {
        let file = try TemporaryFile()
        let b = try file.open()
        do {
            let copy: OwnedDescriptor
            do {
                let a = try file.open()
                #expect(try a.tryLock(byte: 0))
                copy = try a.duplicate()
            }
            #expect(try !b.tryLock(byte: 0))
            _ = copy.number
        }
        #expect(try b.tryLock(byte: 0))
    }

    @Test func aLockOfAClosedDescriptorIsAnError() {
        let nothing = OwnedDescriptor(adopting: -1)
        #expect(throws: SystemCallError.self) { try nothing.tryLock(byte: 0) }
        #expect(throws: SystemCallError.self) { try nothing.isLockedElsewhere(bytes: 0..<1) }
    }
}

@Suite struct PrivateDirectoryTests {
    @Test func aDirectoryIsMadeForItsOwnerAlone() throws {
        let path = "/dev/shm/unic-private-\(getpid())-\(#line)"
        // SAFETY: the C string lives for the call.
        defer { _ = unsafe rmdir(path) }
        let directory = try PrivateDirectory(path: path)
        let opened = try OwnedDescriptor.open(path, flags: O_RDONLY | O_DIRECTORY)
        let status = try opened.status(path)
        #expect(status.mode == 0o700 && status.owner == effectiveUser && !status.isRegularFile)
        #expect(directory.path == path)
    }

    @Test func filesAreMadeForTheirOwnerAlone() throws {
        let path = "/dev/shm/unic-private-\(getpid())-\(#line)"
        // SAFETY: the C string lives for the call.
        defer { _ = unsafe rmdir(path) }
        let directory = try PrivateDirectory(path: path)
        do {
            let file = try directory.openFile("f")
            try file.resize(to: 10_000, subject: "f")
            try file.reserve(0..<4096, subject: "f")
            let status = try file.status("f")
            #expect(status.mode == 0o600 && status.byteCount == 10_000 && status.linkCount == 1 && status.isRegularFile)
            try directory.removeFile("f")
            #expect(try file.status("f").linkCount == 0)
        }
        #expect(throws: SystemCallError.self) { try directory.removeFile("f") }
    }

    @Test func somebodyElsesDirectoryIsRefused() throws {
        // Everybody's, and the superuser's.
        #expect(throws: SystemCallError.self) { _ = try PrivateDirectory(path: "/dev/shm") }
    }

    @Test func aFileInTheDirectorysPlaceIsRefused() throws {
        let file = try TemporaryFile()
        #expect { _ = try PrivateDirectory(path: file.path) } throws: { ($0 as? SystemCallError)?.errno == .notDirectory }
    }
}

/// A file that goes with its object.
private final class TemporaryFile {
    let path: String

    init() throws {
        path = "/dev/shm/unic-file-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        _ = try OwnedDescriptor.open(path, flags: O_CREAT | O_EXCL | O_RDWR, mode: 0o600)
    }

    func open() throws -> OwnedDescriptor { try OwnedDescriptor.open(path, flags: O_RDWR) }

    deinit {
        // SAFETY: the C string lives for the call.
        _ = unsafe unlink(path)
    }
}
