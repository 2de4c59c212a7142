import DeviceAccess
import LinuxIO
import NicRegisters

/// A virtual function's side of the mailbox: requests to its PF and their answers, and what the PF says unasked. Every wait
/// is bounded. Belongs to the control thread.
///
/// The turns: own the memory, write, ask; the PF says that it read, then that it answered; own, read, acknowledge.
/// Linux drivers/net/ethernet/intel/igbvf/mbx.c (e1000_write_posted_mbx, e1000_read_posted_mbx), igb/igb_main.c
/// (igb_rcv_msg_from_vf).
final class IgbvfMailbox {
    private let registers: RegisterFile
    private let device: any DeviceAccess
    /// Bits that a read cleared and nobody has asked for yet.
    private var kept: Igbvf.Mailbox = []
    /// Why the PF no longer serves this function, until the next handshake.
    private(set) var loss: String?

    /// For a request and its answer. E1000_VF_MBX_INIT_TIMEOUT times E1000_VF_MBX_INIT_DELAY.
    static let timeoutMilliseconds: UInt64 = 1000

    init(_ registers: RegisterFile, device: any DeviceAccess) {
        self.registers = registers
        self.device = device
    }

    // MARK: Requests

    /// Asks the PF for something and returns its answer, which is no refusal.
    func request(_ words: [UInt32], named name: String, refusalFix: String) throws(PortError) {
        let answer = try exchange(words, named: name)
        guard answer.header.isAcknowledged else {
            if !answer.header.isRefused || !answer.header.isClearToSend { throw lose("it did not know the function when asked to \(name)") }
            throw .refusedByPF(url: device.url, request: name, fix: refusalFix)
        }
    }

    /// Waits until the PF is out of reset, then shakes hands: nothing else is listened to before.
    /// - Returns: the address that the PF has for this function; zero for none.
    func shakeHands(patienceMilliseconds: UInt64) throws(PortError) -> UInt64 {
        loss = nil
        let deadline = Deadline(afterMilliseconds: patienceMilliseconds)
        while try look().contains(.resetInProgress) {
            guard !deadline.hasPassed else {
                throw .mailboxTimeout(
                    url: device.url, request: "reset", step: "come out of its own reset", milliseconds: patienceMilliseconds)
            }
            pause()
        }
        kept = []
        let answer = try exchange([Igbvf.MessageHeader(.reset).bits], named: "reset")
        // No CTS here: the PF answers with the plain number (igb_vf_reset_msg).
        if answer.header.isAcknowledged { return Igbvf.address(low: answer.words[1], high: answer.words[2]) }
        guard answer.header.isRefused else { throw lose("its answer to a reset was 0x\(String(answer.header.bits, radix: 16))") }
        return 0
    }

    private struct Answer {
        let words: [UInt32]
        var header: Igbvf.MessageHeader { Igbvf.MessageHeader(bits: words[0]) }
    }

    private func exchange(_ words: [UInt32], named name: String) throws(PortError) -> Answer {
        let deadline = Deadline(afterMilliseconds: Self.timeoutMilliseconds)
        let asked = Igbvf.MessageHeader(bits: words[0]).kind
        try own(name, deadline)
        // What the PF said before is about to be overwritten.
        kept.subtract([.physicalRead, .physicalWrote])
        for (index, word) in words.enumerated() { registers.write(word, to: Igbvf.vmbmem[index]) }
        registers.write(.request, to: Igbvf.v2pmailbox)
        try wait(for: .physicalRead, name, "read the request", deadline)
        while true {
            try wait(for: .physicalWrote, name, "answer", deadline)
            let answer = Answer(words: try receive(name, deadline))
            if answer.header.kind == asked { return answer }
            // A control message came in between; the answer follows.
            guard !deadline.hasPassed else { throw timeout(name, "answer") }
        }
    }

    // MARK: What the PF says unasked

    /// Throws when the PF was reset, or does not know this function any more.
    func checkPF() throws(PortError) {
        if let loss { throw .lostByPF(url: device.url, reason: loss) }
        let now = try look()
        guard now.isDisjoint(with: [.resetInProgress, .resetDone]) else { throw lose("it was reset") }
        guard now.contains(.physicalWrote) else { return }
        kept.remove(.physicalWrote)
        let words = try receive("read", Deadline(afterMilliseconds: 20))
        let header = Igbvf.MessageHeader(bits: words[0])
        // Without CTS its message says that it goes down, or that it waits for a handshake.
        guard header.isClearToSend else { throw lose("it said that the function has to be set up anew") }
    }

    private func lose(_ reason: String) -> PortError {
        loss = loss ?? reason
        return .lostByPF(url: device.url, reason: loss ?? reason)
    }

    // MARK: Turns

    /// The register, with the bits that earlier reads cleared.
    private func look() throws(PortError) -> Igbvf.Mailbox {
        let now = registers.read(Igbvf.v2pmailbox)
        if let fault = registers.fault { throw .device(fault) }
        guard now.bits != .max else { throw .device(.gone(device: device.url, reason: "register V2PMAILBOX reads all-ones")) }
        kept.formUnion(now.intersection(.clearedByRead))
        return now.union(kept)
    }

    private func wait(for bit: Igbvf.Mailbox, _ request: String, _ step: String, _ deadline: Deadline) throws(PortError) {
        while true {
            let isLast = deadline.hasPassed
            let now = try look()
            if now.contains(bit) {
                kept.remove(bit)
                return
            }
            if now.contains(.resetInProgress) { throw lose("it was reset") }
            if isLast { throw timeout(request, step) }
            pause()
        }
    }

    /// Takes the memory, which the PF may hold for a moment.
    private func own(_ request: String, _ deadline: Deadline) throws(PortError) {
        while true {
            let isLast = deadline.hasPassed
            registers.write(.functionOwns, to: Igbvf.v2pmailbox)
            if try look().contains(.functionOwns) { return }
            if isLast { throw timeout(request, "leave the mailbox") }
            pause()
        }
    }

    /// Reads a message, at least three words, and says so, which gives the memory up.
    private func receive(_ request: String, _ deadline: Deadline) throws(PortError) -> [UInt32] {
        try own(request, deadline)
        let words = (0..<3).map { registers.read(Igbvf.vmbmem[$0]) }
        registers.write(.acknowledge, to: Igbvf.v2pmailbox)
        return words
    }

    private func timeout(_ request: String, _ step: String) -> PortError {
        .mailboxTimeout(url: device.url, request: request, step: step, milliseconds: Self.timeoutMilliseconds)
    }

    /// Lets the PF work: a model in this process takes a step, a driver elsewhere gets some time.
    private func pause() {
        if let progress = device.progress { _ = progress.step() } else { sleepMicroseconds(50) }
    }
}
