import Glibc
import LinuxIO

/// A running port of some process, as its statistics page shows it at one moment.
public struct PublishedPort: Equatable, Sendable {
    public let processIdentifier: Int
    public let url: String
    public let family: String
    public let macAddress: MACAddress
    public let receiveRingSize: Int
    public let transmitRingSize: Int
    public let queuePairs: [Queue]
    /// nil: the device tells nothing, or the port has not published yet.
    public let deviceCounters: DeviceCounters?
    /// As they were read last.
    public let registers: [DeviceRegister]
    /// nil: the port has not published yet.
    public let linkIsUp: Bool?
    /// When this was read, nanoseconds of the monotonic clock.
    public let readAt: UInt64

    public struct Queue: Equatable, Sendable {
        public var counters = QueueCounters()
        /// Frames that the last call of `receive` found: how full the receive ring was.
        public var lastBatch: UInt64 = 0
        /// Descriptors of the transmit ring that are not reclaimed.
        public var inFlight: UInt64 = 0
        public init() {}
    }

    /// Every port of this user that runs and publishes, and with root's rights those of all users; by process and name.
    /// Pages of processes that are gone are removed.
    public static func all() -> [PublishedPort] {
        let directories = ((try? directoryEntryNames("/dev/shm")) ?? []).filter { $0.hasPrefix("unic-") }
        return directories.flatMap { directory in
            let path = "/dev/shm/\(directory)"
            return ((try? directoryEntryNames(path)) ?? []).filter { $0.hasPrefix("port-") }.compactMap { read("\(path)/\($0)") }
        }.sorted { ($0.processIdentifier, $0.url) < ($1.processIdentifier, $1.url) }
    }

    /// Reads a page whole. What another process wrote is judged: nil if it is no page, or nobody's any more.
    static func read(_ path: String) -> PublishedPort? {
        guard let file = try? OwnedDescriptor.open(path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        guard (try? file.isLockedElsewhere(bytes: 0..<1)) == true else {
            removeStale(path)
            return nil
        }
        guard let page = try? file.read(byteCount: StatisticsLayout.pageByteCount, at: 0, subject: path) else { return nil }
        return PublishedPort(page: page)
    }

    /// Only a page of our own, and only its name: whoever reads it keeps what he has open.
    private static func removeStale(_ path: String) {
        let prefix = PortStatistics.directory + "/"
        guard path.hasPrefix(prefix) else { return }
        try? PrivateDirectory(path: PortStatistics.directory).removeFile(String(path.dropFirst(prefix.count)))
    }

    init?(page: [UInt8]) {
        func word(_ offset: Int) -> UInt64 { page[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        func text(_ place: Range<Int>) -> String { String(decoding: page[place].prefix { $0 != 0 }, as: UTF8.self) }
        typealias Layout = StatisticsLayout
        guard page.count == Layout.pageByteCount, word(Layout.magicOffset) == Layout.magic, word(Layout.versionOffset) == Layout.version
        else { return nil }
        let count = word(Layout.queuePairCountOffset)
        guard (1...UInt64(PortOptions.queuePairLimit)).contains(count) else { return nil }
        processIdentifier = Int(clamping: word(Layout.processOffset))
        url = text(Layout.url)
        family = text(Layout.family)
        macAddress = MACAddress(bits: word(Layout.macAddressOffset) & 0xffff_ffff_ffff)
        receiveRingSize = Int(clamping: word(Layout.receiveRingSizeOffset))
        transmitRingSize = Int(clamping: word(Layout.transmitRingSizeOffset))
        queuePairs = (0..<Int(count)).map { index in
            let start = Layout.queuesOffset + index * Layout.queueByteCount
            var queue = Queue()
            for (offset, field) in Layout.queueFields { queue[keyPath: field] = word(start + offset) }
            return queue
        }
        registers = (0..<Int(min(word(Layout.registerCountOffset), UInt64(Layout.registerLimit)))).map { index in
            let name = Layout.registerName(index)
            return DeviceRegister(text(name), word(name.upperBound))
        }
        let hasPublished = word(Layout.publishedOffset) != 0
        let flags = word(Layout.flagsOffset)
        linkIsUp = hasPublished ? flags & 2 != 0 : nil
        if hasPublished, flags & 1 != 0 {
            var device = DeviceCounters()
            for (number, field) in Layout.deviceFields.enumerated() { device[keyPath: field] = word(Layout.deviceOffset + 8 * number) }
            deviceCounters = device
        } else {
            deviceCounters = nil
        }
        readAt = MonotonicClock.nanoseconds()
    }

    /// What all queue pairs counted.
    public var counters: QueueCounters { queuePairs.reduce(QueueCounters()) { $0 + $1.counters } }
}
