import Foundation
import Glibc
import LinuxIO
import Testing

/// A `unic serve` of this machine, whose socket QEMU plugs into a guest.
final class ServedModel {
    let socket: String
    private let model: String
    private let wire: String
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
