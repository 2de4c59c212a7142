import DeviceAccess
import DeviceMemory
import LinuxIO
import NicDriver
import NicRegisters
import Testing

/// What a driver does with the PF behind a virtual function, whatever that does.
struct IgbvfMailboxTests {
    let device: ScriptedFunction
    var options = PortOptions()

    init() throws {
        device = try ScriptedFunction()
        options.receiveRingSize = 64
        options.transmitRingSize = 64
        options.sparePackets = 64
        options.linkTimeoutMilliseconds = 30
    }

    func open() throws -> IgbvfPort { try IgbvfPort.scripted(device, options) }

    private var kinds: [Igbvf.MessageKind?] { device.mail.map { Igbvf.MessageHeader(bits: $0[0]).kind } }

    @Test func thePFsAddressIsThePorts() throws {
        let port = try open()
        #expect(port.macAddress == MACAddress("52:54:00:12:37:00"))
        #expect(kinds == [.reset, .setReceiveLimit])
        #expect(device.mail[1][1] == 1522)
    }

    @Test func withoutAnAddressTheDriverTellsThePFALocalOne() throws {
        device.answer = ScriptedFunction.willing(address: 0)
        let port = try open()
        #expect(port.macAddress.bytes[0] == 0x02)
        #expect(kinds == [.reset, .setAddress, .setAddress, .setReceiveLimit])
        #expect(Igbvf.address(low: device.mail[1][1], high: device.mail[1][2]) == port.macAddress.bits)
        // The PF refuses to clear with a zero address.
        #expect(device.mail[2][0] == 0x1_0002 && Igbvf.address(low: device.mail[2][1], high: device.mail[2][2]) == port.macAddress.bits)
    }

    @Test func aMulticastAddressOfThePFIsNotTaken() throws {
        device.answer = { words in words[0] == 1 ? [0x8000_0001, 0xffff_ffff, 0xffff] : [words[0] | 0xa000_0000] }
        let port = try open()
        #expect(!port.macAddress.isMulticast && port.macAddress.bytes[0] == 0x02)
    }

    @Test func aPFThatReadsNoMailIsABoundedWaitWithTheWayOut() throws {
        device.readsMail = false
        let start = MonotonicClock.nanoseconds()
        #expect { _ = try open() } throws: { "\($0)".contains("read the request") && "\($0)".contains("ip link set PF up") }
        #expect((MonotonicClock.nanoseconds() - start) / 1_000_000 < 5000)
        #expect(device.dma.count == 0)
    }

    @Test func aPFThatNeverAnswersIsABoundedWait() throws {
        device.answer = { _ in nil }
        #expect { _ = try open() } throws: { "\($0)".contains("did not answer within 1000 ms") }
    }

    @Test func aPFThatKeepsTheMailboxIsABoundedWait() throws {
        device.keepsMailbox = true
        #expect { _ = try open() } throws: { "\($0)".contains("leave the mailbox") }
    }

    @Test func aPFThatStaysInResetIsABoundedWait() throws {
        device.mailbox = .resetInProgress
        #expect { _ = try open() } throws: { "\($0)".contains("come out of its own reset within 30 ms") }
    }

    @Test func aPFThatAnswersNonsenseIsAnError() throws {
        device.answer = { _ in [0x0000_0001, 0, 0] }
        #expect { _ = try open() } throws: { "\($0)".contains("no longer serves this function") }
    }

    @Test func anAnswerToSomethingElseIsPassedOver() throws {
        device.answer = { _ in [0x8000_0033, 0, 0] }
        #expect { _ = try open() } throws: { "\($0)".contains("did not answer within") }
    }

    @Test func aRefusalSaysWhatWasRefusedAndWhatToDo() throws {
        device.answer = ScriptedFunction.refusing(.setReceiveLimit)
        #expect { _ = try open() } throws: { "\($0)".contains("refused to receive frames of 1522 bytes") }
        device.answer = ScriptedFunction.refusing(.setAddress, address: 0)
        #expect { _ = try open() } throws: { "\($0)".contains("ip link set PF vf N mac") }
    }

    @Test func allOnesInTheMailboxIsADeviceThatIsGone() throws {
        device.stuck[Igbvf.v2pmailbox.offset] = .max
        #expect { _ = try open() } throws: { "\($0)".contains("V2PMAILBOX reads all-ones") }
    }

    // MARK: Unasked

    @Test func aPingWithClearToSendIsHealthy() throws {
        let port = try open()
        device.say([0x2000_0100])
        try port.checkHealth()
        try port.checkHealth()
    }

    @Test(arguments: [0x100, 0x4000_0000, 0] as [UInt32]) func aMessageWithoutClearToSendIsALoss(word: UInt32) throws {
        let port = try open()
        device.say([word])
        #expect { try port.checkHealth() } throws: { "\($0)".contains("set up anew") }
        #expect { try port.checkHealth() } throws: { "\($0)".contains("open it again") }
        #expect(!port.linkIsUp)
    }

    @Test func aResetOfThePFIsAnErrorAndStopWorks() throws {
        let port = try open()
        device.resetPF()
        #expect { try port.checkHealth() } throws: { "\($0)".contains("it was reset") }
        try port.stop()
        #expect(port.pool.freeCount == port.pool.capacity && device.dma.count == 0 && !device.isBusMaster)
    }

    @Test func aResetThatIsOverIsSeenFromItsTrace() throws {
        let port = try open()
        device.mailbox = .resetDone
        #expect { try port.checkHealth() } throws: { "\($0)".contains("it was reset") }
    }

    @Test func theFunctionOpensAgainOnceThePFIsBack() throws {
        let port = try open()
        device.resetPF()
        #expect(throws: PortError.self) { try port.checkHealth() }
        try port.stop()
        device.mailbox = [.resetDone, .physicalWrote]
        let again = try open()
        try again.checkHealth()
        try again.stop()
    }

    @Test(arguments: [PortOptions.WaitMode.interrupt, .adaptive(spinMicroseconds: 10)])
    func aWaitThatSleepsNoticesThatThePFSwitchedTheQueueOff(mode: PortOptions.WaitMode) throws {
        var waiting = options
        waiting.wait = mode
        let port = try IgbvfPort.scripted(device, waiting)
        device.resetPF()
        #expect { try port.waitForReceive(timeoutMilliseconds: 2000) } throws: { "\($0)".contains("switched the receive queue off") }
        try port.stop()
    }

    // MARK: Filters

    @Test func groupsBecomeHashesAndTooManyBecomeAllMulticast() throws {
        let port = try open()
        var filter = ReceiveFilter()
        filter.multicast = [MACAddress(bits: 0x01_aa_00_12_34_56)]
        try port.setFilter(filter)
        #expect(device.mail[2].prefix(2) == [0x1_0003, 0x563] && device.mail[3][0] == 0x6)
        filter.multicast = (0..<31).map { MACAddress(bits: 0x01_00_5e_00_00_00 + UInt64($0)) }
        try port.setFilter(filter)
        #expect(device.mail[4][0] == 0x3 && device.mail[5][0] == 0x2_0006)
    }

    @Test func furtherAddressesAreClearedAndAdded() throws {
        let port = try open()
        var filter = ReceiveFilter()
        filter.unicast = [MACAddress(bits: 0x02_00_00_00_00_07), MACAddress(bits: 0x02_00_00_00_00_08)]
        try port.setFilter(filter)
        #expect(device.mail.suffix(3).map { $0[0] } == [0x1_0002, 0x2_0002, 0x2_0002])
        try port.setFilter(ReceiveFilter())
        #expect(device.mail.last?[0] == 0x1_0002)
        let count = device.mail.count
        try port.setFilter(ReceiveFilter())
        #expect(device.mail.count == count + 2, "nothing was there to clear")
    }

    @Test func aRefusedAddressIsAnErrorWithTheWayOut() throws {
        device.answer = ScriptedFunction.refusing(.setAddress)
        let port = try open()
        var filter = ReceiveFilter()
        filter.unicast = [MACAddress(bits: 0x02_00_00_00_00_07)]
        #expect { try port.setFilter(filter) } throws: { "\($0)".contains("trust on") }
    }

    @Test func aVLANIsJoinedAndLeft() throws {
        let port = try open()
        try port.setVLAN(7, isMember: true)
        #expect(device.mail.last?.prefix(2) == [0x1_0004, 7])
        try port.setVLAN(7, isMember: false)
        #expect(device.mail.last?.prefix(2) == [0x4, 7])
        #expect(throws: PortError.self) { try port.setVLAN(4095, isMember: true) }
    }
}

extension IgbvfPort {
    static func scripted(_ device: ScriptedFunction, _ options: PortOptions) throws -> IgbvfPort {
        try IgbvfPort(device: device, options: options) { (byteCount) throws(PortError) in
            do { return try DMAMemory.ordinary(byteCount: byteCount) } catch { throw .noMemory(url: device.url, reason: "\(error)") }
        }
    }
}
