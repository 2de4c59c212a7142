import DeviceAccess
import DeviceMemory
import Glibc
import LinuxIO
import VfioUser

extension FuzzTarget {
    /// Everything that a driver does with a device, while the server's bytes are the input. Each call may fail, none may do
    /// harm: what was mapped can be touched, and what was said is true.
    func drive(_ bytes: [UInt8]) {
        do {
            let path = "/tmp/unic-fuzz-\(processIdentifier)-\(UInt32.random(in: 0 ... .max)).sock"
            let listener = try UnixSocket.listen(at: path, backlog: 1)
            let server = try WorkerThread {
                _ = waitForEvents([PollRequest(listener.number, .readable)], timeoutMilliseconds: 1000)
                guard let socket = try? listener.accept() else { return }
                ScriptedServer(bytes, socket).run()
            }
            // An answer is there at once or never: deadlines are for records that answer something else.
            if let device = try? VfioUserDevice(url: "vfio-user:\(path)", socketPath: path, timeoutMilliseconds: 10) { use(device) }
            PathIdentity(of: path)?.unlink(path)
            server.join()
        } catch { fatalError("\(error)") }
    }

    private func use(_ device: VfioUserDevice) {
        for region in [0, 7] {
            guard let info = try? device.regionInfo(region) else { continue }
            for area in (try? device.mapAreas(of: region)) ?? [] {
                precondition(area.offset + UInt64(area.window.byteCount) <= info.byteCount, "an area outside of its region")
                guard info.isReadable else { continue }
                _ = area.window.load8(at: 0)
                _ = area.window.load8(at: area.window.byteCount - 1)
            }
            _ = try? device.readRegion(region, at: 0, byteCount: 4)
            try? device.writeRegion(region, at: 8, 1, byteCount: 8)
        }
        for kind in InterruptKind.allCases {
            guard let count = try? device.interruptCount(kind), count > 0 else { continue }
            precondition(count <= 2048, "\(count) vectors")
            if let event = try? EventFD() { try? device.enableInterrupts(kind, eventfds: [event.number]) }
        }
        guard let memory = try? DMAMemory.ordinary(byteCount: 0x4000), let range = IOVARange(first: 0, last: 0x3fff) else { return }
        let isMapped = (try? device.map(memory, at: range.start, access: .readWrite)) != nil
        _ = try? device.readRegion(0, at: 4, byteCount: 4)
        if isMapped { try? device.unmap(range) }
        try? device.reset()
        try? device.checkPresence()
    }
}

/// The server's side: records of a kind, a length and so many bytes; the last one may be cut.
///
///     kind % 5    0  sent as they are    1  the payload of the right reply    2  an error reply, its errno the first byte
///                 3  a command of the server's: number, then payload          4  a good server's reply; the bytes are ignored
///     kind & 64   a descriptor of 16 KiB comes with it
///
/// Kinds 1, 2 and 4 answer the next request. At the end the server hangs up, so that the client waits for nothing.
private struct ScriptedServer: ~Copyable {
    /// Each may cost a deadline.
    private static let mostRecords = 48
    private static let fileByteCount = 0x4000
    private let script: [UInt8]
    private let socket: UnixSocket
    private var at = 0
    /// What has come of requests.
    private var requests: [UInt8] = []

    init(_ script: [UInt8], _ socket: consuming UnixSocket) {
        self.script = script
        self.socket = socket
    }

    consuming func run() {
        guard let file = try? MemoryFile.create(name: "unic-fuzz-region", byteCount: Self.fileByteCount) else { return }
        for _ in 0..<Self.mostRecords {
            guard at + 2 <= script.count else { break }
            let kind = script[at]
            let bytes = Array(script[(at + 2)...].prefix(Int(script[at + 1])))
            at += 2 + bytes.count
            let descriptors = kind & 64 != 0 ? [file.number] : []
            switch kind % 5 {
            case 0: send(bytes, descriptors)
            case 3:
                let number = UInt16(bytes.first ?? 0)
                send(
                    MessageHeader(id: 1, command: number, payloadByteCount: max(bytes.count - 1, 0)).emit() + bytes.dropFirst(), descriptors
                )
            default:
                guard let (request, payload) = nextRequest() else { continue }
                switch kind % 5 {
                case 1: send(reply(request, bytes), descriptors)
                case 2: send(reply(request, [], errno: UInt32(bytes.first ?? 0)), descriptors)
                default: send(reply(request, Self.good(request, payload)), descriptors)
                }
            }
        }
    }

    private func reply(_ request: MessageHeader, _ payload: [UInt8], errno: UInt32? = nil) -> [UInt8] {
        MessageHeader(
            id: request.id, command: request.command, payloadByteCount: payload.count, isReply: true, isError: errno != nil,
            errno: errno ?? 0
        ).emit() + payload
    }

    /// A device of one BAR of 16 KiB without areas, and eight MSI-X vectors.
    private static func good(_ request: MessageHeader, _ payload: [UInt8]) -> [UInt8] {
        func word(_ offset: Int) -> UInt8 { payload.indices.contains(offset) ? payload[offset] : 0 }
        func words(_ values: UInt8...) -> [UInt8] { values.flatMap { [$0, 0, 0, 0] } }
        switch Command(rawValue: request.command) {
        case .version: return [0, 0, 0, 0]
        case .deviceGetInfo: return words(16, 3, 9, 5)
        case .deviceGetRegionInfo: return words(32, 3, word(8), 0) + [0, 0x40] + [UInt8](repeating: 0, count: 14)
        case .deviceGetIRQInfo: return words(16, 1, word(8), 8)
        case .regionRead: return Array(payload.prefix(16)) + [UInt8](repeating: 0x5a, count: Int(word(12)))
        case .regionWrite: return Array(payload.prefix(16))
        default: return []
        }
    }

    private borrowing func send(_ bytes: [UInt8], _ descriptors: [Int32]) {
        if !bytes.isEmpty { _ = try? socket.send(bytes, descriptors: descriptors) }
    }

    /// The client's next message; nil: none came in time, or it is gone.
    private mutating func nextRequest() -> (MessageHeader, [UInt8])? {
        var chunk = [UInt8](repeating: 0, count: 4096)
        var none: [ReceivedDescriptor] = []
        while true {
            if let header = try? MessageHeader.parse(Array(requests.prefix(MessageHeader.byteCount)), maximumMessageByteCount: 1 << 21) {
                let end = Int(header.messageByteCount)
                if requests.count >= end {
                    let payload = Array(requests[MessageHeader.byteCount..<end])
                    requests.removeFirst(end)
                    return (header, payload)
                }
            }
            guard !waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: 15)[0].isEmpty else { return nil }
            guard case .bytes(let count, _)? = try? socket.receive(into: &chunk, from: 0, byteCount: chunk.count, descriptors: &none)
            else { return nil }
            requests += chunk[..<count]
        }
    }
}
