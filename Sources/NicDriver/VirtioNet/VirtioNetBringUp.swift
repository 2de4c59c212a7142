import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// A virtio-net function's way from reset to DRIVER_OK, in the order of virtio 1.2 "Device Initialization", and what was
/// agreed on the way.
struct VirtioNetBringUp {
    let device: any DeviceAccess
    let structures: VirtioStructures
    let common: VirtioCommonConfig
    let config: VirtioNetConfig
    let features: VirtioFeatures
    let capabilities: PortCapabilities
    private let options: PortOptions
    /// Queue pairs that the device numbers its queues by.
    private let numberedPairs: Int

    /// What the device says of one of its queues.
    struct QueueShape: Equatable {
        let maximumSize: Int
        /// What its notification address is a multiple of.
        let notifyOffset: UInt16
    }

    /// Reset, features, and what the device says of itself; no queue yet.
    init(_ device: any DeviceAccess, structures: VirtioStructures, common: VirtioCommonConfig, options: PortOptions) throws(PortError) {
        self.device = device
        self.structures = structures
        self.common = common
        self.options = options
        try common.reset()
        common.add(.acknowledge)
        common.add(.driver)
        let offered = common.readFeatures()
        try common.check()
        features = try VirtioNetBringUp.choose(from: offered, options, device)
        try common.accept(features)
        config = VirtioNetConfig(structures, common: common, offered: offered)
        capabilities = VirtioNetBringUp.capabilities(offered, config)
        numberedPairs = features.isDisjoint(with: [.multiqueue, .rss]) ? 1 : config.maximumPairs
        guard options.queuePairCount <= capabilities.queuePairCount else {
            throw .badOption("\(options.queuePairCount) queue pairs: \(device.url) has \(capabilities.queuePairCount).")
        }
        guard options.maximumFrameByteCount <= capabilities.longestFrameByteCount else {
            throw .badOption(
                "A maximum frame of \(options.maximumFrameByteCount) bytes without FCS: \(device.url) takes \(capabilities.longestFrameByteCount), which is its MTU and 14."
            )
        }
    }

    /// What is accepted of what was offered. Segmentation and coalescing are never wanted: frames are what is on the wire.
    static func choose(from offered: VirtioFeatures, _ options: PortOptions, _ device: any DeviceAccess)
        throws(PortError) -> VirtioFeatures
    {
        func refuse(_ reason: String, _ fix: String) -> PortError {
            .device(.notUsable(device: device.url, group: nil, reason: reason, fix: fix))
        }
        guard offered.contains(.version1) else {
            throw refuse("the device offers no VIRTIO_F_VERSION_1", "Legacy virtio is not supported: start it with disable-legacy=on.")
        }
        guard offered.contains(.accessPlatform) || device.dmaLimits.seesPhysicalAddresses else {
            throw refuse(
                "the device offers no VIRTIO_F_ACCESS_PLATFORM, so that it would use IOVAs as physical addresses, past the IOMMU",
                "Start it with iommu_platform=on.")
        }
        guard offered.contains(.mac) else {
            throw refuse("the device offers no MAC address (VIRTIO_NET_F_MAC)", "Give it one in its hypervisor (QEMU: mac=).")
        }
        var wanted: VirtioFeatures = [
            .version1, .accessPlatform, .orderPlatform, .ringPacked, .eventIndex, .mac, .mtu, .status, .mergeableBuffers, .checksum,
            .guestChecksum,
        ]
        // Each of these needs the control queue.
        if offered.contains(.controlQueue) {
            wanted.formUnion([.controlQueue, .controlReceive, .controlMACAddress])
            if options.queuePairCount > 1 { wanted.insert(offered.contains(.rss) ? .rss : .multiqueue) }
        }
        return offered.intersection(wanted)
    }

    private static func capabilities(_ offered: VirtioFeatures, _ config: VirtioNetConfig) -> PortCapabilities {
        let spreads = offered.contains(.controlQueue) && !offered.isDisjoint(with: [.multiqueue, .rss])
        return PortCapabilities(
            longestFrameByteCount: min(VirtioNetPort.longestFrameByteCount, config.mtu.map { Int($0) + 14 } ?? .max),
            queuePairCount: spreads ? min(config.maximumPairs, PortOptions.queuePairLimit) : 1,
            furtherUnicastCount: offered.isSuperset(of: [.controlQueue, .controlReceive]) ? VirtioNetPort.macTableSize : 0,
            // The driver does what the device does not.
            insertsChecksums: true,
            // The device never calls a checksum wrong, and says nothing of IPv4 headers.
            verifiesChecksums: false)
    }

    func macAddress() throws(PortError) -> MACAddress {
        let address = config.macAddress
        try common.check()
        guard address.bits != 0, !address.isMulticast else {
            throw .device(
                .notUsable(
                    device: device.url, group: nil, reason: "its MAC address \(address) is no unicast address",
                    fix: "Give it one in its hypervisor (QEMU: mac=)."))
        }
        return address
    }

    // Queues.

    /// Of all queues that the port uses, by their numbers. Before they are enabled.
    var queueShapes: [Int: QueueShape] {
        var numbers = (0..<options.queuePairCount).flatMap { [VirtioNet.receiveQueue(ofPair: $0), VirtioNet.transmitQueue(ofPair: $0)] }
        if features.contains(.controlQueue) { numbers.append(VirtioNet.controlQueue(pairs: numberedPairs)) }
        var shapes: [Int: QueueShape] = [:]
        for number in numbers {
            shapes[number] = QueueShape(
                maximumSize: common.maximumSize(ofQueue: number), notifyOffset: common.notifyOffset(ofQueue: number))
        }
        return shapes
    }

    /// Whether the same was agreed with both.
    func agrees(with other: VirtioNetBringUp) -> Bool {
        features == other.features && capabilities == other.capabilities && numberedPairs == other.numberedPairs
    }

    /// As many descriptors as wanted, or as the device has room for, rounded down to a power of two.
    private func layout(ofQueue index: Int, wanted: Int) throws(PortError) -> VirtqueueLayout {
        let maximum = common.maximumSize(ofQueue: index)
        try common.check()
        guard maximum >= 2, maximum <= 1 << 15 else {
            throw .device(
                .notUsable(
                    device: device.url, group: nil, reason: "queue \(index) has room for \(maximum) descriptors",
                    fix: "A queue has 2 to 32768: look at the device's options."))
        }
        let most = 1 << (Int.bitWidth - 1 - maximum.leadingZeroBitCount)
        return VirtqueueLayout(size: min(wanted, most), isPacked: features.contains(.ringPacked))
    }

    func makePairs(
        _ statistics: PortStatistics, iovas: inout IOVAAllocator, _ allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) -> [any VirtioNetPair] {
        let notifications = VirtioNotifications(structures, url: device.url)
        var pairs: [any VirtioNetPair] = []
        for index in 0..<options.queuePairCount {
            let (receive, transmit) = (VirtioNet.receiveQueue(ofPair: index), VirtioNet.transmitQueue(ofPair: index))
            let memory = try VirtioNetMemory(
                device: device, receive: try layout(ofQueue: receive, wanted: options.receiveRingSize),
                transmit: try layout(ofQueue: transmit, wanted: options.transmitRingSize), options: options, iovas: &iovas,
                allocate: allocate)
            var trapped: [TrappedNotification] = []
            let receiveNotifier = try notifications.notifier(
                queue: receive, notifyOffset: common.notifyOffset(ofQueue: receive), trapped: &trapped)
            let transmitNotifier = try notifications.notifier(
                queue: transmit, notifyOffset: common.notifyOffset(ofQueue: transmit), trapped: &trapped)
            let parts = VirtioNetPairParts(
                index: index, device: device, common: common, memory: memory, features: features, options: options,
                statistics: statistics, receiveNotifier: receiveNotifier, transmitNotifier: transmitNotifier, trapped: trapped)
            pairs.append(try parts.make())
        }
        return pairs
    }

    func makeControlQueue(
        iovas: inout IOVAAllocator, _ allocate: (Int) throws(PortError) -> DMAMemory
    ) throws(PortError) -> VirtioControlQueue? {
        guard features.contains(.controlQueue) else { return nil }
        let index = VirtioNet.controlQueue(pairs: numberedPairs)
        var trapped: [TrappedNotification] = []
        let layout = try layout(ofQueue: index, wanted: 64)
        let notifier = try VirtioNotifications(structures, url: device.url).notifier(
            queue: index, notifyOffset: common.notifyOffset(ofQueue: index), trapped: &trapped)
        return try VirtioControlQueue(
            device: device, layout: layout, iovas: &iovas, notifier: notifier, trapped: trapped, allocate: allocate)
    }

    /// Gives all queues to the device, each receive queue with a vector of its own if it interrupts, and starts it.
    func start(_ pairs: [any VirtioNetPair], _ control: VirtioControlQueue?) throws(PortError) {
        let interrupts = options.wait.usesInterrupts
        if interrupts { try enableInterrupts(pairs) }
        common.silenceConfigInterrupts()
        for pair in pairs {
            try common.enable(
                queue: VirtioNet.receiveQueue(ofPair: pair.index), at: pair.memory.receive, vector: interrupts ? pair.index : nil)
            try common.enable(queue: VirtioNet.transmitQueue(ofPair: pair.index), at: pair.memory.transmit, vector: nil)
        }
        if let control { try common.enable(queue: VirtioNet.controlQueue(pairs: numberedPairs), at: control.area, vector: nil) }
        common.add(.driverOK)
        try common.check()
    }

    private func enableInterrupts(_ pairs: [any VirtioNetPair]) throws(PortError) {
        do throws(DeviceError) {
            guard try device.interruptCount(.msix) >= pairs.count else {
                throw DeviceError.notUsable(
                    device: device.url, group: nil, reason: "the device offers too few MSI-X vectors for \(pairs.count) queues",
                    fix: "Run without --interrupts, or give the device more vectors (QEMU: vectors=N).")
            }
            try device.enableInterrupts(.msix, eventfds: pairs.map { $0.eventNumber ?? -1 })
        } catch { throw .device(error) }
    }
}
