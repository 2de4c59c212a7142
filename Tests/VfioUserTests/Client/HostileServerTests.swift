import CLinuxShims
import DeviceAccess
import DeviceMemory
import Glibc
import LinuxIO
import Synchronization
import Testing

@testable import VfioUser

/// The client against servers that lie.
@Suite struct HostileServerTests {
    private func device(_ server: ScriptedServer, timeoutMilliseconds: UInt64 = 5000) throws -> VfioUserDevice {
        try VfioUserDevice(url: "vfio-user:\(server.path)", socketPath: server.path, timeoutMilliseconds: timeoutMilliseconds)
    }

    private func isViolation(_ error: DeviceError?) -> Bool {
        if case .protocolViolation? = error { return true }
        return false
    }

    /// A memfd without seals, of some size.
    private static func memory(byteCount: Int) -> Int32 {
        // SAFETY: the C string lives for the call.
        let number = unsafe unic_memfd_create("unic-hostile", 1)
        _ = ftruncate(number, byteCount)
        return number
    }

    @Test func goodAnswersAreBelieved() throws {
        let server = try ScriptedServer { _ in nil }
        #expect(try device(server).readRegion(0, at: 0, byteCount: 2) == 0x5a5a)
    }

    @Test func hangUpDuringNegotiationIsTold() throws {
        let server = try ScriptedServer { _ in .init(hangsUp: true) }
        let failure = #expect(throws: DeviceError.self) { _ = try device(server) }
        guard case .notUsable(_, _, let reason, _)? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(reason.contains("hung up"))
    }

    @Test func refusedVersionIsTold() throws {
        let server = try ScriptedServer { message in
            .init(
                bytes: MessageHeader(id: message.header.id, command: 1, payloadByteCount: 0, isReply: true, isError: true, errno: 22).emit()
            )
        }
        let failure = #expect(throws: DeviceError.self) { _ = try device(server) }
        guard case .notUsable(_, _, let reason, _)? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(reason.contains("refused version"))
    }

    @Test(arguments: [[1, 0, 0, 0], [0, 0, 9, 0], [0], [0, 0, 0, 0, 0x7b]] as [[UInt8]])
    func impossibleVersionIsAViolation(payload: [UInt8]) throws {
        let server = try ScriptedServer { .init(bytes: ScriptedServer.reply($0, payload)) }
        #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device(server) }))
    }

    @Test func silentServerTimesOutAndALateReplyIsThrownAway() throws {
        let held = Mutex<[UInt8]?>(nil)
        let server = try ScriptedServer { message in
            guard message.header.command == Command.regionRead.rawValue else { return nil }
            let good = ScriptedServer.good(message).bytes
            return held.withLock { late in
                guard let first = late else { late = good; return .init() }
                return .init(bytes: first + good)
            }
        }
        let device = try device(server, timeoutMilliseconds: 300)
        let failure = #expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: 0, byteCount: 1) }
        guard case .timedOut? = failure else { Issue.record("\(String(describing: failure))"); return }
        try device.checkPresence()
        #expect(try device.readRegion(0, at: 0, byteCount: 1) == 0x5a)
    }

    @Test func replyWithAnotherIDIsAViolationAndEndsIt() throws {
        let server = try ScriptedServer { message in
            guard message.header.command == Command.deviceReset.rawValue else { return nil }
            return .init(bytes: ScriptedServer.reply(message, [], id: message.header.id &+ 100))
        }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { try device.reset() }))
        let second = #expect(throws: DeviceError.self) { try device.checkPresence() }
        guard case .gone? = second else { Issue.record("\(String(describing: second))"); return }
    }

    @Test func replyWithAnotherCommandIsAViolation() throws {
        let server = try ScriptedServer { message in
            guard message.header.command == Command.deviceReset.rawValue else { return nil }
            return .init(bytes: ScriptedServer.reply(message, [], command: 9))
        }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { try device.reset() }))
    }

    @Test func garbageInsteadOfAReplyIsAViolation() throws {
        let server = try ScriptedServer { message in
            guard message.header.command == Command.deviceReset.rawValue else { return nil }
            return .init(bytes: [UInt8](repeating: 0xff, count: 64))
        }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { try device.reset() }))
    }

    @Test func readReplyOfAnotherPlaceOrLengthIsAViolation() throws {
        for payload in [
            longs(4) + words(0, 4) + words(1), longs(0) + words(1, 4) + words(1), longs(0) + words(0, 8) + longs(1), longs(0) + words(0, 4),
            [],
        ] {
            let server = try ScriptedServer { message in
                message.header.command == Command.regionRead.rawValue ? .init(bytes: ScriptedServer.reply(message, payload)) : nil
            }
            let device = try device(server)
            #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: 0, byteCount: 4) }))
        }
    }

    @Test func commandOfTheServerIsRefusedAndTheReplyStillFound() throws {
        let server = try ScriptedServer { message in
            switch Command(rawValue: message.header.command) {
            case .deviceReset:
                let command = MessageHeader(id: 500, command: 16, payloadByteCount: 16).emit() + longs(0, 16)
                return .init(bytes: command + ScriptedServer.reply(message, []))
            // The client's refusal of it.
            case .deviceFeature: return .init()
            default: return nil
            }
        }
        let device = try device(server)
        try device.reset()
        #expect(try device.readRegion(0, at: 0, byteCount: 1) == 0x5a)
    }

    /// Region 0 with one area and a file of some size.
    private func regionServer(
        region: UInt64 = 0x4000, fileOffset: UInt64 = 0, area: (UInt64, UInt64), descriptors: @escaping @Sendable () -> [Int32]
    ) throws -> ScriptedServer {
        try ScriptedServer { message in
            guard message.header.command == Command.deviceGetRegionInfo.rawValue else { return nil }
            guard message.payload.field32(at: 0) >= 64 else {
                return .init(bytes: ScriptedServer.reply(message, words(64, 3, 0, 0) + longs(region, 0)))
            }
            let payload =
                words(64, 0xf, 0, 32) + longs(region, fileOffset) + [1, 0, 1, 0] + words(0, 1, 0) + longs(area.0, area.1)
            return .init(bytes: ScriptedServer.reply(message, payload), descriptors: descriptors())
        }
    }

    @Test func goodAreaIsMapped() throws {
        let server = try regionServer(area: (0x1000, 0x1000)) { [HostileServerTests.memory(byteCount: 0x2000)] }
        let areas = try device(server).mapAreas(of: 0)
        #expect(areas.count == 1 && areas[0].offset == 0x1000 && areas[0].window.byteCount == 0x1000)
    }

    @Test func fileTooSmallForItsAreaIsNotMapped() throws {
        let server = try regionServer(area: (0x1000, 0x1000)) { [HostileServerTests.memory(byteCount: 0x1000)] }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device.mapAreas(of: 0) }))
    }

    @Test func areaOutsideOfTheRegionOrOffsetThatWrapsIsAViolation() throws {
        for (fileOffset, area) in [
            (0, (0x4000, 0x1000)), (0, (0x3000, 0x2000)), (0, (0x800, 0x1000)), (.max - 0xfff, (0x1000, 0x1000)), (8, (0x1000, 0x1000)),
        ]
            as [(UInt64, (UInt64, UInt64))]
        {
            let server = try regionServer(fileOffset: fileOffset, area: area) { [HostileServerTests.memory(byteCount: 0x8000)] }
            let device = try device(server)
            #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device.regionInfo(0) }))
        }
    }

    @Test func descriptorThatIsNoMemoryIsNotMapped() throws {
        let server = try regionServer(area: (0, 0x1000)) { [(try? OwnedDescriptor.open("/dev/zero", flags: O_RDWR))?.release() ?? -1] }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device.mapAreas(of: 0) }))
    }

    @Test func tooManyDescriptorsAreClosed() throws {
        let name = "unic-flood-\(MonotonicClock.nanoseconds())"
        let server = try regionServer(area: (0, 0x1000)) {
            (0..<16).map { _ in (try? MemoryFile.create(name: name, byteCount: 0x4000))?.release() ?? -1 }
        }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device.mapAreas(of: 0) }))
        #expect(eventually { OpenDescriptors.count(pointingAt: name) == 0 })
    }

    @Test func endlessDescriptionIsAViolation() throws {
        let server = try ScriptedServer { message in
            guard message.header.command == Command.deviceGetRegionInfo.rawValue else { return nil }
            return .init(bytes: ScriptedServer.reply(message, words(.max, 3, 0, 0) + longs(0x4000, 0)))
        }
        let device = try device(server)
        #expect(isViolation(#expect(throws: DeviceError.self) { _ = try device.regionInfo(0) }))
    }

    @Test func eventfdsGoInMessagesAsSmallAsTheServerWants() throws {
        let seen = Mutex<[(UInt32, Int)]>([])
        // This server says nothing of max_msg_fds: one is what it takes.
        let server = try ScriptedServer { message in
            if message.header.command == Command.deviceSetIRQs.rawValue {
                seen.withLock { $0.append((message.payload.field32(at: 12), message.descriptors.count)) }
            }
            return nil
        }
        let event = try EventFD()
        try device(server).enableInterrupts(.msix, eventfds: [event.number, event.number, event.number])
        let messages = seen.withLock { $0 }
        #expect(messages.map(\.0) == [0, 0, 1, 2] && messages.map(\.1) == [0, 1, 1, 1])
    }
}
