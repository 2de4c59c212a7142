/// Where things stand in a port's statistics page: little-endian words, one writer each. A page of another version is
/// passed over by readers.
enum StatisticsLayout {
    static let pageByteCount = 4096
    /// "unicstat".
    static let magic: UInt64 = 0x7461_7473_6369_6e75
    static let version: UInt64 = 2

    // The port: written once, and by ``PortStatistics/publish(device:registers:linkIsUp:)``.
    static let magicOffset = 0
    static let versionOffset = 8
    static let processOffset = 16
    static let queuePairCountOffset = 24
    static let macAddressOffset = 32
    static let receiveRingSizeOffset = 40
    static let transmitRingSizeOffset = 48
    /// Bit 0: the device's counters are there. Bit 1: the link is up.
    static let flagsOffset = 56
    /// Nanoseconds of the monotonic clock when the port last published; 0: never.
    static let publishedOffset = 64
    /// ``DeviceCounters`` in the order of its fields.
    static let deviceOffset = 72
    static var deviceFields: [WritableKeyPath<DeviceCounters, UInt64>] {
        [\.receivedFrames, \.receivedBytes, \.sentFrames, \.sentBytes, \.missedFrames, \.receiveErrors]
    }
    static let registerCountOffset = 120
    /// Text, padded with zeros.
    static let family = 128..<160
    static let url = 160..<512

    // A queue pair: 256 bytes each, from here on.
    static let queuesOffset = 512
    static let queueByteCount = 256
    static let receivedFrames = 0
    static let receivedBytes = 8
    static let receiveLengthErrors = 16
    static let receiveErrors = 24
    static let refillStarved = 32
    static let pollHits = 40
    static let pollMisses = 48
    static let sentFrames = 56
    static let sentBytes = 64
    static let sendLengthErrors = 72
    static let interrupts = 80
    static let lastBatch = 88
    static let inFlight = 96
    static let recoveries = 104
    static let framesLostInRecovery = 112

    // The device's registers, behind the queue pairs: a name, padded with zeros, and a value.
    static let registersOffset = queuesOffset + PortOptions.queuePairLimit * queueByteCount
    static let registerByteCount = 32
    static let registerLimit = (pageByteCount - registersOffset) / registerByteCount
    /// Where a register's name stands; its value follows.
    static func registerName(_ index: Int) -> Range<Int> {
        let start = registersOffset + index * registerByteCount
        return start..<start + registerByteCount - 8
    }

    static var queueFields: [(offset: Int, field: WritableKeyPath<PublishedPort.Queue, UInt64>)] {
        [
            (receivedFrames, \.counters.receivedFrames), (receivedBytes, \.counters.receivedBytes),
            (receiveLengthErrors, \.counters.receiveLengthErrors), (receiveErrors, \.counters.receiveErrors),
            (refillStarved, \.counters.refillStarved), (pollHits, \.counters.pollHits), (pollMisses, \.counters.pollMisses),
            (sentFrames, \.counters.sentFrames), (sentBytes, \.counters.sentBytes),
            (sendLengthErrors, \.counters.sendLengthErrors), (interrupts, \.counters.interrupts), (lastBatch, \.lastBatch),
            (inFlight, \.inFlight), (recoveries, \.counters.recoveries), (framesLostInRecovery, \.counters.framesLostInRecovery),
        ]
    }
}
