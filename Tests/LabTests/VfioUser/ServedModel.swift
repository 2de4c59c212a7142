import Foundation
import Glibc
import LinuxIO
import Testing

/// A `unic serve` of this machine, whose socket QEMU plugs into a guest.
final class ServedModel {
    let socket: String
    private let model: String
    let wire: String
    private let options: [String]
    private var server: ChildProcess

    init(_ model: String, wire: String, options: [String] = [], socket: String? = nil) throws {
        self.socket = socket ?? "/tmp/unic-lab-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        self.model = model
        self.wire = "lab-\(getpid())-\(wire)"
        self.options = options
        server = try Self.start(model, socket: self.socket, wire: self.wire, options)
    }

    deinit { server.send(signal: SIGKILL) }

    private static func start(_ model: String, socket: String, wire: String, _ options: [String]) throws -> ChildProcess {
        let folder = try #require(Binaries.folder)
        let words = ["serve", "--model", model, "--socket", socket, "--wire", wire] + options
        let child = try ChildProcess("\(folder)/unic", arguments: words)
        try #require(child.readOutput(timeoutMilliseconds: 10_000) { $0.errorText.contains("is served") }, "\(child.errorText)")
        return child
    }

    /// What a running server tells of the client's memory.
    struct Memory: CustomStringConvertible {
        var maps = 0
        var mappedByteCount = 0
        var mapMessages = 0
        var unmapMessages = 0
        var description: String { "\(maps) maps of \(mappedByteCount) bytes after \(mapMessages) DMA_MAP and \(unmapMessages) DMA_UNMAP" }
    }

    /// Asks the server as `unic status` does, again for at most 5 s while it does not tell what is wished.
    func status(until isWished: (Memory) -> Bool = { _ in true }) throws -> Memory {
        let deadline = Deadline(afterMilliseconds: 5000)
        while true {
            let memory = try ask()
            if isWished(memory) || deadline.hasPassed { return memory }
            sleepMicroseconds(20_000)
        }
    }

    private func ask() throws -> Memory {
        let child = try ChildProcess("\(try #require(Binaries.folder))/unic", arguments: ["status", socket, "--json"])
        try #require(child.wait(timeoutMilliseconds: 10_000) == .exited(0), "\(child.errorText)")
        let all = try #require(try JSONSerialization.jsonObject(with: Data(child.standardOutput)) as? [String: Any])
        let commands = try #require(all["messages_by_command"] as? [String: Any])
        return Memory(
            maps: try #require(all["maps"] as? Int), mappedByteCount: try #require(all["mapped_bytes"] as? Int),
            mapMessages: commands["VFIO_USER_DMA_MAP"] as? Int ?? 0, unmapMessages: commands["VFIO_USER_DMA_UNMAP"] as? Int ?? 0)
    }

    /// Ends the server as kill -9 does, and starts another one at the same place.
    func restart() throws {
        server.send(signal: SIGKILL)
        server.wait(timeoutMilliseconds: 5000)
        server = try Self.start(model, socket: socket, wire: wire, options)
    }

    /// Ends the server as Ctrl-C does. Returns what it tells of itself, a number for each name.
    func finish() throws -> [String: UInt64] {
        server.send(signal: SIGINT)
        server.wait(timeoutMilliseconds: 5000)
        #expect(server.exit == .exited(130), "\(server.errorText)")
        var numbers: [String: UInt64] = [:]
        for line in server.outputText.split(separator: "\n") {
            let parts = line.split(separator: ": ", maxSplits: 1)
            if parts.count == 2, let number = UInt64(parts[1]) { numbers[String(parts[0])] = number }
        }
        return numbers
    }
}
