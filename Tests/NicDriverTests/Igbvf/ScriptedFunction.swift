import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// A virtual function and its PF whose every answer the test writes: registers are a dictionary, rings are memory that the
/// test reads and writes as a hostile device would. Stands beside the driver suite, which runs on real models and NICs.
final class ScriptedFunction: DeviceAccess {
    /// What the PF does with a message: the words of its answer; nil for none.
    typealias Answer = ([UInt32]) -> [UInt32]?

    let url = "soft:scripted-vf"
    var registers: [Int: UInt32] = [Igbvf.status.offset: Igbvf.Status.linkUp.rawValue]
    var mailbox: Igbvf.Mailbox = []
    /// Registers that always read as this, whatever was written.
    var stuck: [Int: UInt32] = [:]
    /// The PF says that it read a message.
    var readsMail = true
    /// The PF keeps the mailbox's memory for itself.
    var keepsMailbox = false
    var answer: Answer = ScriptedFunction.willing(address: 0x5254_0012_3700)
    /// What the PF was sent, first words.
    private(set) var mail: [[UInt32]] = []
    /// Every region access fails from now on.
    var isGone = false
    private(set) var isBusMaster = false
    private(set) var resetCount = 0
    let dma = DMASpace()
    private let bar: DMAMemory

    init() throws { bar = try DMAMemory.ordinary(byteCount: 8192, name: "scripted-bar") }

    /// Does what it is asked for.
    static func willing(address: UInt64) -> Answer {
        { words in
            guard words[0] == 1 else { return [words[0] | 0xa000_0000] }
            let (low, high) = Igbvf.addressWords(address)
            return address == 0 ? [0x4000_0001, 0, 0] : [0x8000_0001, low, high]
        }
    }

    /// Answers the handshake, and refuses everything of a kind.
    static func refusing(_ kind: Igbvf.MessageKind, address: UInt64 = 0x5254_0012_3700) -> Answer {
        { words in
            let isRefused = Igbvf.MessageHeader(bits: words[0]).kind == kind
            return isRefused ? [words[0] | 0x6000_0000] : willing(address: address)(words)
        }
    }

    // MARK: DeviceAccess

    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32 { offset == 4 && isBusMaster ? 4 : 0 }
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError) {
        if offset == 4 { isBusMaster = value & 4 != 0 }
    }
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo { RegionInfo(byteCount: 0x4000) }
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea] { [MappedArea(offset: 0x2000, window: bar.window)] }

    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64 {
        if isGone { throw .gone(device: url, reason: "the test took it away") }
        if let value = stuck[Int(offset)] { return UInt64(value) }
        if Int(offset) == Igbvf.v2pmailbox.offset {
            defer { mailbox.subtract(.clearedByRead) }
            return UInt64(mailbox.rawValue)
        }
        return UInt64(registers[Int(offset)] ?? 0)
    }

    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError) {
        if isGone { throw .gone(device: url, reason: "the test took it away") }
        let value = UInt32(truncatingIfNeeded: value)
        switch Int(offset) {
        case Igbvf.v2pmailbox.offset: writeMailbox(Igbvf.Mailbox(bits: value))
        case Igbvf.ctrl.offset: if value & Igbvf.Control.reset.rawValue != 0 { resetCount += 1 }
        default: registers[Int(offset)] = value
        }
    }

    private func writeMailbox(_ value: Igbvf.Mailbox) {
        if value.contains(.functionOwns), !keepsMailbox { mailbox.insert(.functionOwns) } else { mailbox.remove(.functionOwns) }
        guard value.contains(.request), readsMail else { return }
        mailbox.insert(.physicalRead)
        let words = (0..<16).map { registers[Igbvf.vmbmem[$0].offset] ?? 0 }
        mail.append(words)
        guard let answer = answer(words) else { return }
        say(answer)
    }

    /// The PF puts a message into the mailbox.
    func say(_ words: [UInt32]) {
        for (index, word) in words.enumerated() { registers[Igbvf.vmbmem[index].offset] = word }
        mailbox.insert(.physicalWrote)
    }

    /// The PF is reset: its registers and the function's are zeroed.
    func resetPF() {
        mailbox = .resetInProgress
        bar.window.fill(0)
    }

    var dmaLimits: DMALimits {
        DMALimits(windows: [IOVARange(first: 0x1_0000_0000, last: 0x1_ffff_ffff)].compactMap { $0 }, pageSizes: 4096, maximumMappings: 16)
    }

    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else {
            throw .gone(device: url, reason: "a mapping past the address space")
        }
        do { try dma.map(range, to: memory.window, access: access) } catch {
            throw .mapDMA(device: url, range: range, reason: "\(error)", fix: "None.")
        }
    }

    func unmap(_ range: IOVARange) throws(DeviceError) {
        guard dma.unmap(range)?.isEmpty == false else { throw .unmapDMA(device: url, range: range, reason: "nothing is mapped there") }
    }

    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int { kind == .msix ? 3 : 0 }
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError) {}
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError) {}
    func unmaskINTx() throws(DeviceError) {}
    func reset() throws(DeviceError) {}
    func checkPresence() throws(DeviceError) { if isGone { throw .gone(device: url, reason: "the test took it away") } }
    var progress: DeviceProgress? { nil }

    // MARK: The device's side

    func register(_ offset: Int) -> UInt32 {
        (0x2000..<0x4000).contains(offset) ? bar.window.load32(at: offset - 0x2000) : registers[offset] ?? 0
    }
    func setRegister(_ offset: Int, _ value: UInt32) { bar.window.store32(value, at: offset - 0x2000) }

    private func ring(_ low: Int, _ high: Int) -> IOVA { IOVA(UInt64(register(low)) | UInt64(register(high)) << 32) }
    var receiveRing: IOVA { ring(Igbvf.rdbal[0].offset, Igbvf.rdbah[0].offset) }
    var transmitRing: IOVA { ring(Igbvf.tdbal[0].offset, Igbvf.tdbah[0].offset) }

    func word(_ ring: IOVA, _ slot: Int, _ half: Int) -> UInt64 {
        dma.translate(IOVA(ring.rawValue + UInt64(slot * 16 + half * 8)), byteCount: 8, access: .read)?.load64(at: 0) ?? 0
    }

    func setWord(_ ring: IOVA, _ slot: Int, _ half: Int, _ value: UInt64) {
        dma.translate(IOVA(ring.rawValue + UInt64(slot * 16 + half * 8)), byteCount: 8, access: .write)?.store64(value, at: 0)
    }

    /// Marks a receive descriptor done.
    func complete(_ slot: Int, status: Igbvf.RxStatus = [.done, .endOfPacket], length: UInt16) {
        setWord(receiveRing, slot, 1, Igbvf.RxWriteBack(status: status, length: length).word1)
    }
}
