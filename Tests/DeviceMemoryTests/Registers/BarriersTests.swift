import DeviceMemory
import LinuxIO
import SystemPackage
import Testing

/// The barriers' instructions, read from what clang makes of the header that Swift imports.
@Suite struct BarriersTests {
    /// Compiles the header for a target and gives the instructions of each function.
    static func instructions(target: String) throws -> [String: [String]] {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent().removingLastComponent()
        let names = ["publish_to_device", "observe_from_device", "full_device_barrier", "flush_write_combining"]
        let functions = names.map { "void \($0)(void) { unic_\($0)(); }\n" }.joined()
        let directory = FilePath("/tmp/unic-barriers-\(target)-\(MonotonicClock.nanoseconds())")
        let source = FilePath("\(directory).c")
        let assembly = FilePath("\(directory).s")
        let file = try FileDescriptor.open(source, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(("#include \"barriers.h\"\n" + functions).utf8) }
        let clang = try ChildProcess(
            "clang",
            arguments: [
                "--target=\(target)", "-ffreestanding", "-O2", "-Werror", "-S", "-I\(root)/Sources/CLinuxShims", "-o", assembly.string,
                source.string,
            ])
        let exit = clang.wait(timeoutMilliseconds: 60_000)
        guard exit == .exited(0) else { throw CompilerFailed(message: clang.errorText) }
        let text = try readSmallFile(assembly.string)
        _ = try? ChildProcess("rm", arguments: ["-f", source.string, assembly.string]).wait(timeoutMilliseconds: 10_000)
        return functionBodies(text, names)
    }

    struct CompilerFailed: Error { let message: String }

    /// Lines of assembly between a function's label and its return.
    static func functionBodies(_ text: String, _ names: [String]) -> [String: [String]] {
        var bodies: [String: [String]] = [:]
        var name: String?
        for line in text.split(separator: "\n") {
            let label = String(line.prefix { $0 != ":" })
            if names.contains(label) { name = label; bodies[label] = [] }
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let current = name, let first = words.first, !first.hasPrefix("."), !first.hasPrefix("//"), !first.hasPrefix("#"),
                !line.contains(":")
            else { continue }
            if first.hasPrefix("ret") { name = nil } else { bodies[current, default: []].append(words.joined(separator: " ")) }
        }
        return bodies
    }

    @Test func arm64OrdersAgainstDevicesOuterShareable() throws {
        let bodies = try Self.instructions(target: "aarch64-none-elf")
        #expect(bodies["publish_to_device"] == ["dmb oshst"])
        #expect(bodies["observe_from_device"] == ["dmb oshld"])
        #expect(bodies["full_device_barrier"] == ["dmb osh"])
        #expect(bodies["flush_write_combining"] == ["dsb oshst"])
    }

    @Test func x86FencesOnlyWhereItsOrderIsNotEnough() throws {
        let bodies = try Self.instructions(target: "x86_64-none-elf")
        let frame = ["pushq %rbp", "movq %rsp, %rbp", "popq %rbp"]
        let fences = bodies.mapValues { $0.filter { !frame.contains($0) } }
        #expect(fences["publish_to_device"] == [] && fences["observe_from_device"] == [])
        #expect(fences["full_device_barrier"] == ["mfence"])
        #expect(fences["flush_write_combining"] == ["sfence"])
    }
}
