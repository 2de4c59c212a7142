import CLinuxShims
import Glibc
import LinuxIO
import SystemPackage
import Testing

@Suite struct MemoryFileTests {
    @Test func lengthCannotChangeAnyMore() throws {
        let file = try MemoryFile.create(name: "unic-test", byteCount: 8192)
        let number = file.number
        #expect(ftruncate(number, 4096) == -1 && errno == EPERM)
        #expect(ftruncate(number, 16384) == -1 && errno == EPERM)
        #expect(unic_fcntl(number, Int32(UNIC_F_ADD_SEALS), Int(UNIC_F_SEAL_SHRINK)) == -1 && errno == EPERM)
        let status = try file.status("a test")
        #expect(status.byteCount == 8192)
    }

    @Test func negativeLengthIsAnError() {
        #expect(throws: SystemCallError.self) { _ = try MemoryFile.create(name: "unic-test", byteCount: -1).number }
    }

    @Test func twoMappingsShareTheirBytes() throws {
        let file = try MemoryFile.create(name: "unic-test", byteCount: 8192)
        let whole = try MappedPages(sharing: file, byteCount: 8192, subject: "a test")
        let second = try MappedPages(sharing: file, fileOffset: 4096, byteCount: 4096, protection: PROT_READ, subject: "a test")
        // SAFETY: both mappings live past these accesses, which are inside of them.
        unsafe whole.address.storeBytes(of: 0x77, toByteOffset: 4096 + 5, as: UInt8.self)
        let seen = unsafe second.address.load(fromByteOffset: 5, as: UInt8.self)
        #expect(seen == 0x77)
        _ = consume whole
        _ = consume second
    }

    @Test func mappingOutlivesItsDescriptor() throws {
        let pages: MappedPages
        do {
            pages = try MappedPages(sharing: try MemoryFile.create(name: "unic-test", byteCount: 4096), byteCount: 4096, subject: "a test")
        }
        // SAFETY: the mapping lives past the access, which is inside of it.
        let byte = unsafe pages.address.load(as: UInt8.self)
        #expect(byte == 0)
        _ = consume pages
    }

    @Test func mappingIsGoneWithItsOwner() async {
        await #expect(processExitsWith: .failure) {
            let file = try MemoryFile.create(name: "unic-test", byteCount: 4096)
            let pages = try MappedPages(sharing: file, byteCount: 4096, subject: "a test")
            // SAFETY: on purpose not kept: the address is used after its owner is gone, which must be a fault.
            let address = unsafe pages.address
            _ = consume pages
            // SAFETY: as above.
            unsafe address.storeBytes(of: 1, as: UInt8.self)
        }
    }

    @Test(arguments: [0, -4096]) func emptyMappingIsAnError(byteCount: Int) throws {
        let file = try MemoryFile.create(name: "unic-test", byteCount: 4096)
        var code: Errno?
        do throws(SystemCallError) { _ = try MappedPages(sharing: file, byteCount: byteCount, subject: "a test").byteCount } catch {
            code = error.errno
        }
        #expect(code == (byteCount == 0 ? .invalidArgument : .noMemory))
        _ = consume file
    }
}
