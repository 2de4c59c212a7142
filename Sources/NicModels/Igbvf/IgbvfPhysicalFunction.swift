import NicRegisters

/// The PF behind a virtual function, as Linux' igb driver plays it: what it answers to mail, and what it lets through.
/// igb/igb_main.c igb_rcv_msg_from_vf and the functions that it calls.
struct IgbvfPhysicalFunction {
    /// The address that its administrator gave the function; 0: none.
    let assignedAddress: UInt64
    /// The function may have other addresses than that one (ip link set PF vf N trust on).
    let isTrusting: Bool
    /// The function's own address; 0: none.
    private(set) var address: UInt64
    private(set) var furtherAddresses: [UInt64] = []
    private(set) var acceptsAllMulticast = false
    /// Longest frame with FCS; nil: an ordinary one.
    private(set) var receiveLimit: Int?
    /// The function shook hands since its last reset: it may send and receive, and ask for things.
    private(set) var isClearToSend = false
    /// VLANs that the function is in.
    private(set) var vlans = Set<UInt16>()
    private var multicast = InlineArray<128, UInt32>(repeating: 0)

    /// Room in the device's address table for one function; so many Linux' igbvf asks for.
    private static let furtherLimit = Igbvf.furtherUnicastCount

    /// - Parameter assignedAddress: 48 bits, the first byte on the wire on top.
    init(assignedAddress: UInt64, isTrusting: Bool) {
        self.assignedAddress = assignedAddress
        self.isTrusting = isTrusting
        address = assignedAddress
    }

    /// igb_vf_reset_event: the function was reset. Further addresses and the receive limit stay.
    mutating func functionWasReset() {
        address = assignedAddress
        forget()
    }

    /// The PF itself is reset: igb_reset and what the device forgets.
    mutating func reset() {
        forget()
        furtherAddresses = []
        receiveLimit = nil
    }

    private mutating func forget() {
        isClearToSend = false
        acceptsAllMulticast = false
        multicast = InlineArray(repeating: 0)
        vlans = []
    }

    // MARK: Mail

    /// The words of the answer; nil: none.
    /// - Parameter words: as many as the mailbox has.
    mutating func answer(to words: [UInt32], refuses: Bool) -> [UInt32]? {
        let header = Igbvf.MessageHeader(bits: words[0])
        // A message that was processed before.
        if header.isAcknowledged || header.isRefused { return nil }
        if words[0] == Igbvf.MessageHeader(.reset).bits { return answerReset(words[0]) }
        guard isClearToSend else { return [words[0] | Igbvf.MessageHeader.refused] }
        let isDone = !refuses && perform(header, words)
        let verdict = isDone ? Igbvf.MessageHeader.acknowledged : Igbvf.MessageHeader.refused
        return [words[0] | Igbvf.MessageHeader.clearToSend | verdict]
    }

    private mutating func answerReset(_ word: UInt32) -> [UInt32] {
        forget()
        isClearToSend = true
        guard address != 0 else { return [word | Igbvf.MessageHeader.refused, 0, 0] }
        let (low, high) = Igbvf.addressWords(address)
        return [word | Igbvf.MessageHeader.acknowledged, low, high]
    }

    private mutating func perform(_ header: Igbvf.MessageHeader, _ words: [UInt32]) -> Bool {
        switch header.kind {
        case .setAddress: return setAddress(header.info, Igbvf.address(low: words[1], high: words[2]))
        case .setMulticast:
            setMulticast(words, count: Int(header.info))
            return true
        case .setVLAN:
            let vlan = UInt16(words[1] & 0xfff)
            if header.info != 0 { vlans.insert(vlan) } else { vlans.remove(vlan) }
            return true
        case .setReceiveLimit:
            receiveLimit = Int(min(words[1], Igbvf.longestReceiveLimit))
            return true
        case .setPromiscuous:
            acceptsAllMulticast = header.info & Igbvf.promiscuousMulticast != 0
            return header.info & ~Igbvf.promiscuousMulticast == 0
        case .reset, .control, nil: return false
        }
    }

    private mutating func setAddress(_ info: UInt32, _ wanted: UInt64) -> Bool {
        // An address that the administrator gave stays, and remains the only one.
        guard assignedAddress == 0 || isTrusting, wanted != 0, wanted >> 40 & 1 == 0 else { return false }
        switch Igbvf.AddressRequest(rawValue: info) {
        case .own: address = wanted
        case .clearFurther: furtherAddresses = []
        case .addFurther:
            guard furtherAddresses.count < Self.furtherLimit else { return false }
            furtherAddresses.append(wanted)
        case nil: return false
        }
        return true
    }

    private mutating func setMulticast(_ words: [UInt32], count: Int) {
        multicast = InlineArray(repeating: 0)
        acceptsAllMulticast = count > Igbvf.multicastHashCount
        for index in 0..<min(count, Igbvf.multicastHashCount) {
            let hash = words[1 + index / 2] >> (index & 1 == 0 ? 0 : 16) & 0xfff
            let (row, mask) = E1000E.tableBit(hash)
            multicast[row] |= mask
        }
    }

    // MARK: Frames

    /// Whether a frame to this address is the function's.
    @inline(__always)
    func lets(_ destination: E1000EDestination) -> Bool {
        switch destination.kind {
        case .broadcast: return true
        case .unicast:
            let wanted = destination.address.littleEndianAddress
            return wanted == address || furtherAddresses.contains(wanted)
        case .multicast:
            if acceptsAllMulticast { return true }
            let hash = Igbvf.multicastHash(
                byte4: UInt8(truncatingIfNeeded: destination.address >> 32), byte5: UInt8(truncatingIfNeeded: destination.address >> 40))
            let (row, mask) = E1000E.tableBit(UInt32(hash))
            return multicast[row] & mask != 0
        }
    }

    /// The only unicast address that passes, if there is just one. 48 bits, the first byte on the wire on top.
    var onlyUnicast: UInt64? { furtherAddresses.isEmpty ? address : nil }
}
