import DeviceMemory
import LinuxIO
import Synchronization

/// What a port shows of itself while it runs: a page that its threads write without a lock, a system call or a wait, and
/// that other processes read (``PublishedPort``).
///
/// Published pages are files `port-PID-N` in /dev/shm/unic-UID, locked while their port lives, so that a reader can tell
/// a page whose process was killed. Without publishing the page is private memory. Where no file can be made the port
/// runs all the same, unseen.
public final class PortStatistics: Sendable {
    private let memory: DMAMemory
    /// nil: private.
    private let fileName: String?

    static var directory: String { "/dev/shm/unic-\(effectiveUser)" }
    private static let count = Atomic<Int>(0)

    /// Errors: not one page of memory.
    public init(url: String, family: String, macAddress: MACAddress, options: PortOptions) throws(PortError) {
        let name = "port-\(processIdentifier)-\(PortStatistics.count.wrappingAdd(1, ordering: .relaxed).oldValue)"
        if options.publishesStatistics, let published = try? PortStatistics.publishedPage(name) {
            memory = published
            fileName = name
        } else {
            do { memory = try DMAMemory.ordinary(byteCount: StatisticsLayout.pageByteCount, name: "unic-statistics") } catch {
                throw .noMemory(url: url, reason: error.description)
            }
            fileName = nil
        }
        let page = memory.window
        page.store(PortStatistics.text(family, StatisticsLayout.family), at: StatisticsLayout.family.lowerBound)
        page.store(PortStatistics.text(url, StatisticsLayout.url), at: StatisticsLayout.url.lowerBound)
        page.store64(UInt64(processIdentifier), at: StatisticsLayout.processOffset)
        page.store64(UInt64(options.queuePairCount), at: StatisticsLayout.queuePairCountOffset)
        page.store64(macAddress.bits, at: StatisticsLayout.macAddressOffset)
        page.store64(UInt64(options.receiveRingSize), at: StatisticsLayout.receiveRingSizeOffset)
        page.store64(UInt64(options.transmitRingSize), at: StatisticsLayout.transmitRingSizeOffset)
        page.store64(StatisticsLayout.version, at: StatisticsLayout.versionOffset)
        // Last: a page with its magic is whole.
        page.store64(StatisticsLayout.magic, at: StatisticsLayout.magicOffset)
    }

    deinit {
        guard let fileName else { return }
        try? PrivateDirectory(path: PortStatistics.directory).removeFile(fileName)
    }

    private static func publishedPage(_ name: String) throws(SystemCallError) -> DMAMemory {
        let directory = try PrivateDirectory(path: self.directory)
        let file = try directory.openFile(name)
        guard try file.tryLock(byte: 0) else {
            throw SystemCallError(call: "fcntl(F_OFD_SETLK)", subject: name, errno: .resourceBusy)
        }
        // Whatever a process of the same number left.
        try file.resize(to: 0, subject: name)
        try file.resize(to: StatisticsLayout.pageByteCount, subject: name)
        try file.reserve(0..<StatisticsLayout.pageByteCount, subject: name)
        let pages = try MappedPages(sharing: file, byteCount: StatisticsLayout.pageByteCount, subject: name)
        return DMAMemory(file: file, fileOffset: 0, pages: pages, pageSize: .base)
    }

    /// As many bytes of a text as fit, without cutting a character, padded with zeros.
    private static func text(_ text: String, _ place: Range<Int>) -> [UInt8] {
        var text = text
        while text.utf8.count > place.count { text.removeLast() }
        return Array(text.utf8) + [UInt8](repeating: 0, count: place.count - text.utf8.count)
    }

    /// What the page shows now; may be called by any thread.
    public var shown: PublishedPort? { PublishedPort(page: memory.window.bytes(at: 0, byteCount: StatisticsLayout.pageByteCount)) }

    /// The part of a queue pair, which keeps the port's statistics as long as it uses this.
    func queue(_ index: Int) -> QueueStatistics {
        precondition(index < PortOptions.queuePairLimit)
        return QueueStatistics(
            memory.window.slice(
                at: StatisticsLayout.queuesOffset + index * StatisticsLayout.queueByteCount, byteCount: StatisticsLayout.queueByteCount))
    }

    /// Shows what the device counted, how its registers stand and whether its link is up.
    func publish(device: DeviceCounters?, registers: [DeviceRegister], linkIsUp: Bool) {
        let page = memory.window
        let shown = registers.prefix(StatisticsLayout.registerLimit)
        for (index, register) in shown.enumerated() {
            let name = StatisticsLayout.registerName(index)
            page.store(PortStatistics.text(register.name, name), at: name.lowerBound)
            page.store64(register.value, at: name.upperBound)
        }
        page.store64(UInt64(shown.count), at: StatisticsLayout.registerCountOffset)
        if let device {
            for (index, field) in StatisticsLayout.deviceFields.enumerated() {
                page.store64(device[keyPath: field], at: StatisticsLayout.deviceOffset + 8 * index)
            }
        }
        page.store64((device == nil ? 0 : 1) | (linkIsUp ? 2 : 0), at: StatisticsLayout.flagsOffset)
        page.store64(MonotonicClock.nanoseconds(), at: StatisticsLayout.publishedOffset)
    }
}
