import LinuxIO
import SystemPackage
import Testing

@Suite("Looking around in the file tree") struct FileTreeTests {
    @Test("a link of /proc is read as written")
    func link() throws { #expect(try symbolicLinkTarget(of: "/proc/self/exe").hasPrefix("/")) }

    @Test("what is not a link is an error with its errno")
    func noLink() {
        let error = #expect(throws: SystemCallError.self) { try symbolicLinkTarget(of: "/proc/self/status") }
        #expect(error?.errno == .invalidArgument)
    }

    @Test("a directory's names are sorted and without dots")
    func names() throws {
        let names = try directoryEntryNames("/proc/self")
        #expect(names.contains("status") && names.contains("fd"))
        #expect(names == names.sorted() && !names.contains(".") && !names.contains(".."))
    }

    @Test("a missing directory is an error with its errno")
    func missing() {
        let error = #expect(throws: SystemCallError.self) { try directoryEntryNames("/nowhere-at-all") }
        #expect(error?.errno == .noSuchFileOrDirectory && error?.subject == "/nowhere-at-all")
    }

    @Test("permissions and owner of a file")
    func owner() throws {
        #expect(try FileOwner.of("/dev/null").permissions == 0o666)
        #expect(try FileOwner.of("/dev/null").user == 0)
    }

    @Test("the limit of locked memory is what /proc says")
    func limit() throws {
        let line = try #require(try readSmallFile("/proc/self/limits").split(separator: "\n").first { $0.hasPrefix("Max locked memory") })
        let soft = line.split(separator: " ")[3]
        #expect(LockedMemoryLimit.byteCount.map { "\($0)" } ?? "unlimited" == soft)
    }
}
