import DeviceMemory

/// What a message is matched by, and what its receiver is told.
struct Envelope: BitwiseCopyable {
    let space: MessageSpace
    let tag: UInt64
    let data: UInt64
    let carriesData: Bool
    let totalByteCount: Int
    /// Names a message that waits to be asked for.
    let sender: OperationName?

    init(_ frame: IncomingFrame, _ window: MemoryWindow, total: Int, sender: OperationName?) {
        space = frame.flags.contains(.tagged) ? .tagged : .untagged
        tag = window.load64(at: 80)
        data = window.load64(at: 88)
        carriesData = frame.flags.contains(.carriesData)
        totalByteCount = total
        self.sender = sender
    }

    init(_ message: UnexpectedMessage) {
        space = message.space
        tag = message.tag
        data = message.data
        carriesData = message.carriesData
        totalByteCount = message.totalByteCount
        sender = message.sender
    }
}
