import DeviceMemory
import DeviceModel
import Glibc
import LinuxIO
import NicModels
import VfioUser

extension FuzzTarget {
    /// The model of an 82574L.
    func serveE1000E(_ bytes: [UInt8]) {
        do {
            let environment = try DeviceEnvironment(for: E1000EModel<CableWire>.functionDescription)
            let (wire, far) = try CableWire.pair(depth: 4)
            let model = try E1000EModel(wire: wire, macAddress: 0x02_00_00_00_00_01, environment: environment)
            try serve(model, environment, bytes)
            withExtendedLifetime(far) {}
        } catch { fatalError("\(error)") }
    }

    /// virtio-net with two queue pairs and packed rings offered. The first two bytes say how much of the input, at most 4 KiB, lies
    /// at the start of the client's memory: rings and frames. The rest is messages.
    func serveVirtioNet(_ bytes: [UInt8]) {
        do {
            let options = VirtioNetOptions(pairs: 2, offersPackedRings: true)
            let environment = try DeviceEnvironment(for: VirtioNetModel<CableWire>.functionDescription(options))
            let (wire, far) = try CableWire.pair(depth: 4)
            let model = try VirtioNetModel(wire: wire, macAddress: 0x02_00_00_00_00_01, options: options, environment: environment)
            guard bytes.count >= 2 else { return }
            let wanted = min(Int(bytes[0]) | Int(bytes[1]) << 8, 4096)
            let lent = Array(bytes[2...].prefix(wanted))
            try serve(model, environment, Array(bytes.dropFirst(2 + lent.count)), lending: lent)
            withExtendedLifetime(far) {}
        } catch { fatalError("\(error)") }
    }

    /// A client that maps a mebibyte of memory at 0 and then sends whatever it likes, until it has no more to say. It never reads.
    private func serve<Model: DeviceModel & ~Copyable>(
        _ model: consuming Model, _ environment: DeviceEnvironment, _ bytes: [UInt8], lending contents: [UInt8] = []
    ) throws(SystemCallError) {
        var options = ServerOptions()
        options.pollMicroseconds = 0
        options.timerMilliseconds = 0
        options.stalledClientMilliseconds = 1
        let server = try VfioUserServer(model: model, environment: environment, socketPath: "/nowhere", options: options)
        let memory = try MemoryFile.create(name: "unic-fuzz", byteCount: 1 << 20)
        if !contents.isEmpty {
            let pages = try MappedPages(sharing: memory, byteCount: 1 << 20, subject: "the client's memory")
            // SAFETY: the mapping is larger than the longest contents, and nobody else has it now.
            unsafe pages.address.copyMemory(from: contents, byteCount: contents.count)
        }
        try UnixSocketPair().split { (ours, theirs) throws(SystemCallError) in
            let version = VersionMessage(major: 0, minor: 0, capabilities: Capabilities()).emit()
            let map = DMAMapMessage(access: .readWrite, fileOffset: 0, range: Self.lent).emit()
            _ = try? theirs.send(Self.command(.version, version))
            _ = try? theirs.send(Self.command(.dmaMap, map), descriptors: [memory.number])
            if !bytes.isEmpty { _ = try? theirs.send(bytes) }
            // Two turns of the server: between them, with the last message of the input done, the model works.
            for _ in 0..<64 { _ = try? theirs.send(Self.command(.regionRead, Self.look)) }
            shutdown(theirs.number, Int32(SHUT_WR))
            try server.serve(connection: ours)
        }
    }

    /// Four bytes at the start of BAR 0.
    private static let look = [UInt8](repeating: 0, count: 12) + [4, 0, 0, 0]
    private static let lent = IOVARange(first: 0, last: (1 << 20) - 1)!

    private static func command(_ command: Command, _ payload: [UInt8]) -> [UInt8] {
        MessageHeader(id: 1, command: command.rawValue, payloadByteCount: payload.count, noReply: true).emit() + payload
    }
}
