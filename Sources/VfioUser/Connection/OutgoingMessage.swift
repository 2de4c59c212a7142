import LinuxIO

/// A message on its way out; the descriptors beside it go with its first byte and stay their owner's.
struct OutgoingMessage {
    let bytes: [UInt8]
    let descriptors: [Int32]
    private(set) var sent = 0

    init(header: MessageHeader, payload: [UInt8], descriptors: [Int32] = []) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(MessageHeader.byteCount + payload.count)
        bytes += repeatElement(0, count: MessageHeader.byteCount)
        header.emit(into: &bytes)
        bytes += payload
        self.bytes = bytes
        self.descriptors = descriptors
    }

    /// Sends what the socket takes. Returns whether all of it went.
    mutating func send(on socket: borrowing UnixSocket) throws(SystemCallError) -> Bool {
        while sent < bytes.count {
            guard let count = try socket.send(bytes, from: sent, descriptors: sent == 0 ? descriptors : []) else { return false }
            sent += count
        }
        return true
    }
}
