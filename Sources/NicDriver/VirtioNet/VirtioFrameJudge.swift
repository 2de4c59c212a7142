import DeviceMemory
import NicRegisters

/// Judges what the device put into a receive buffer: a header of 12 bytes and a frame. Everything in it is the device's
/// word: read once, then used.
struct VirtioFrameJudge: BitwiseCopyable {
    let pool: PacketPoolReference
    let headers: PacketHeaders
    let maximumFrameByteCount: UInt64
    /// What a receive buffer holds, header included.
    let bufferByteCount: UInt64
    private let isMergeable: Bool
    private let validMask: UInt16

    init(pool: PacketPoolReference, maximumFrameByteCount: Int, features: VirtioFeatures) {
        self.pool = pool
        self.maximumFrameByteCount = UInt64(maximumFrameByteCount)
        headers = PacketHeaders(of: pool, byteCount: VirtioNet.Header.byteCount)
        bufferByteCount = UInt64(pool.bufferByteCount + VirtioNet.Header.byteCount)
        precondition(maximumFrameByteCount < pool.bufferByteCount, "a good frame that fills its buffer")
        isMergeable = features.contains(.mergeableBuffers)
        validMask = features.contains(.guestChecksum) ? UInt16(VirtioNet.HeaderFlags.dataValid.rawValue) : 0
    }

    /// The received checks as bits of a handle, if the frame is one that needs no further look: not segmented, its checksum
    /// complete. That it is whole its length says: a frame over several buffers fills the first (virtio 1.2 "Processing of
    /// Incoming Packets"), and a full buffer is longer than any good frame.
    @inline(__always)
    func checksOfGoodFrame(_ place: PacketHeaders.Place) -> UInt64? {
        let flags = headers.load16(at: VirtioNet.Header.flagsOffset, place)
        if flags & (segmentationMask | needsChecksumBit) != 0 { return nil }
        return checks(flags & validMask)
    }

    /// The device has checked the transport's checksum, and does not say which transport it is: both flags. They are
    /// neighbours, so that the header's bit goes to both without a branch.
    /// - Parameter valid: VIRTIO_NET_HDR_F_DATA_VALID, which is 2, or nothing.
    @inline(__always)
    private func checks(_ valid: UInt16) -> UInt64 {
        let bit = UInt64(valid)
        return (bit &+ bit &* 2) &<< 35
    }

    enum Verdict {
        case good(PacketHandle)
        /// The first of several buffers of one frame: `more` follow.
        case spread(more: Int)
        case wrongLength
        case damaged
    }

    /// The whole judgement, out of the loop of good frames. Completes a checksum that the sender left to us.
    /// - Parameter byteCount: header and frame, as the device says.
    func judge(buffer: UInt32, byteCount: UInt32) -> Verdict {
        let place = headers.place(of: buffer)
        let flags = headers.load16(at: VirtioNet.Header.flagsOffset, place)
        if UInt64(byteCount) == bufferByteCount, isMergeable {
            let count = headers.load16(at: VirtioNet.Header.bufferCountOffset, place)
            if count > 1 { return .spread(more: Int(count) - 1) }
        }
        // Shorter than a header wraps around and is too long, too.
        let length = UInt64(byteCount) &- UInt64(VirtioNet.Header.byteCount)
        guard length &- 1 < maximumFrameByteCount else { return .wrongLength }
        guard flags & segmentationMask == 0 else { return .damaged }
        var valid = flags & validMask
        if flags & needsChecksumBit != 0 {
            guard validMask != 0, complete(buffer, place, length: Int(length)) else { return .damaged }
            valid = validMask
        }
        return .good(PacketHandle(word: length | UInt64(buffer) &<< 16 | checks(valid)))
    }

    /// A frame of a neighbour on the same host, whose transport checksum nobody has computed yet.
    private func complete(_ buffer: UInt32, _ place: PacketHeaders.Place, length: Int) -> Bool {
        let start = Int(headers.load16(at: VirtioNet.Header.checksumStartOffset, place))
        let offset = Int(headers.load16(at: VirtioNet.Header.checksumOffsetOffset, place))
        guard start + offset + 2 <= length else { return false }
        InternetChecksum.complete(
            pool.window(of: buffer), from: start, to: length, field: start + offset, isUDP: offset == InternetChecksum.udpField)
        return true
    }
}

/// `gso_type`, the byte above the flags.
@inline(__always) private var segmentationMask: UInt16 { 0xff00 }
@inline(__always) private var needsChecksumBit: UInt16 { UInt16(VirtioNet.HeaderFlags.needsChecksum.rawValue) }
