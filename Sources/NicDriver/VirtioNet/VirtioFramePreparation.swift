import DeviceMemory
import NicRegisters

/// Makes frames ready to be sent: the 12-byte header in front, zeros behind a short one, checksums that the owner asks for.
struct VirtioFramePreparation: BitwiseCopyable {
    let pool: PacketPoolReference
    let headers: PacketHeaders
    let maximumFrameByteCount: UInt64
    /// The device finishes transport checksums; else the driver does.
    let insertsChecksums: Bool

    /// Frames on the wire have at least 60 bytes without FCS (IEEE 802.3); a virtio device does not pad.
    static var minimumFrameByteCount: UInt64 { 60 }

    init(pool: PacketPoolReference, maximumFrameByteCount: Int, features: VirtioFeatures) {
        self.pool = pool
        self.maximumFrameByteCount = UInt64(maximumFrameByteCount)
        headers = PacketHeaders(of: pool, byteCount: VirtioNet.Header.byteCount)
        insertsChecksums = features.contains(.checksum)
    }

    /// A frame that goes as it is: an empty header.
    @inline(__always)
    func prepareOrdinary(_ place: PacketHeaders.Place) {
        headers.store64(0, at: 0, place)
        headers.store32(0, at: 8, place)
    }

    /// Any frame. Returns its length on the wire; nil for one that cannot go: empty, too long, or with headers beyond its end.
    func prepare(_ handle: PacketHandle) -> UInt64? {
        let length = UInt64(handle.byteCount)
        guard length > 0, length <= maximumFrameByteCount else { return nil }
        let packet = pool.window(of: handle.index)
        var padded = length
        while padded < VirtioFramePreparation.minimumFrameByteCount {
            packet.store8(0, at: Int(padded))
            padded &+= 1
        }
        let place = headers.place(of: handle.index)
        prepareOrdinary(place)
        guard handle.asksForChecksums else { return padded }
        return insertChecksums(handle, packet, place) ? padded : nil
    }

    private func insertChecksums(_ handle: PacketHandle, _ packet: MemoryWindow, _ place: PacketHeaders.Place) -> Bool {
        let length = Int(handle.byteCount)
        let network = handle.linkHeaderByteCount
        let transport = network + handle.networkHeaderByteCount
        if handle.flags.contains(.insertIPChecksum) {
            // The device sums from a start to the frame's end, which no IPv4 header reaches.
            guard network + InternetChecksum.ipField + 2 <= transport, transport <= length else { return false }
            InternetChecksum.complete(packet, from: network, to: transport, field: network + InternetChecksum.ipField, isUDP: false)
        }
        guard !handle.flags.isDisjoint(with: [.insertUDPChecksum, .insertTCPChecksum]) else { return true }
        let isUDP = handle.flags.contains(.insertUDPChecksum)
        let field = isUDP ? InternetChecksum.udpField : InternetChecksum.tcpField
        guard transport + field + 2 <= length else { return false }
        guard insertsChecksums else {
            InternetChecksum.complete(packet, from: transport, to: length, field: transport + field, isUDP: isUDP)
            return true
        }
        let header = VirtioNet.Header(
            flags: .needsChecksum, checksumStart: UInt16(truncatingIfNeeded: transport), checksumOffset: UInt16(truncatingIfNeeded: field))
        headers.store64(header.word0, at: 0, place)
        headers.store32(header.word1, at: 8, place)
        return true
    }
}
