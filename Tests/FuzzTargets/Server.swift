import DeviceMemory
import DeviceModel
import Glibc
import LinuxIO
import NicModels
import VfioUser

extension FuzzTarget {
    /// A client that maps a mebibyte of memory at 0 and then sends whatever it likes to the model of an 82574L, until it has
    /// no more to say. It never reads.
    func serve(_ bytes: [UInt8]) {
        do {
            let environment = try DeviceEnvironment(for: E1000EModel<CableWire>.functionDescription)
            let (wire, far) = try CableWire.pair(depth: 4)
            let model = try E1000EModel(wire: wire, macAddress: 0x02_00_00_00_00_01, environment: environment)
            var options = ServerOptions()
            options.pollMicroseconds = 0
            options.timerMilliseconds = 0
            options.stalledClientMilliseconds = 1
            let server = try VfioUserServer(model: model, environment: environment, socketPath: "/nowhere", options: options)
            let memory = try MemoryFile.create(name: "unic-fuzz", byteCount: 1 << 20)
            try UnixSocketPair().split { ours, theirs in
                let version = VersionMessage(major: 0, minor: 0, capabilities: Capabilities()).emit()
                let map = DMAMapMessage(access: .readWrite, fileOffset: 0, range: Self.lent).emit()
                _ = try? theirs.send(Self.command(.version, version))
                _ = try? theirs.send(Self.command(.dmaMap, map), descriptors: [memory.number])
                if !bytes.isEmpty { _ = try? theirs.send(bytes) }
                shutdown(theirs.number, Int32(SHUT_WR))
                try server.serve(connection: ours)
            }
            withExtendedLifetime(far) {}
        } catch { fatalError("\(error)") }
    }

    private static let lent = IOVARange(first: 0, last: (1 << 20) - 1)!

    private static func command(_ command: Command, _ payload: [UInt8]) -> [UInt8] {
        MessageHeader(id: 1, command: command.rawValue, payloadByteCount: payload.count, noReply: true).emit() + payload
    }
}
