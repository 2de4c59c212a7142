import DeviceAccess
import DeviceMemory
import LinuxIO

/// The common configuration of a virtio function: its status, its features and its queues. Control thread only, but for
/// the status.
final class VirtioCommonConfig {
    private let structure: VirtioStructure
    private let device: any DeviceAccess
    private let fault: VirtioFault

    init(_ structures: VirtioStructures, device: any DeviceAccess) {
        structure = structures.common
        fault = structures.fault
        self.device = device
    }

    // Status.

    var status: VirtioStatus { VirtioStatus(rawValue: structure.load8(at: Virtio.Common.deviceStatus)) }

    func add(_ bit: VirtioStatus) { structure.store8(status.union(bit).rawValue, at: Virtio.Common.deviceStatus) }

    /// Throws when the function is gone, or asks for a reset.
    func check() throws(PortError) {
        let status = self.status
        try fault.check()
        if status.rawValue == 0xff { throw .device(.gone(device: device.url, reason: "its device status reads all-ones")) }
        if status.contains(.needsReset) {
            throw .device(
                .notUsable(
                    device: device.url, group: nil, reason: "the device has met an error and asks for a reset", fix: "Open it again."))
        }
    }

    /// Writes 0 and waits until the device says that it has let go of everything. Bounded.
    func reset() throws(PortError) {
        structure.store8(0, at: Virtio.Common.deviceStatus)
        let deadline = Deadline(afterMilliseconds: VirtioCommonConfig.resetMilliseconds)
        while true {
            let isLast = deadline.hasPassed
            let status = self.status
            try fault.check()
            if status.rawValue == 0xff { throw .device(.gone(device: device.url, reason: "its device status reads all-ones")) }
            if status.isEmpty { return }
            if isLast {
                throw .registerTimeout(
                    url: device.url, register: "device_status", mask: 0xff, lastValue: UInt32(status.rawValue),
                    milliseconds: VirtioCommonConfig.resetMilliseconds)
            }
            _ = device.progress?.step()
            Processor.yield()
        }
    }

    /// So long a reset may take. Hardware devices that let go of queues take tens of milliseconds.
    private static let resetMilliseconds: UInt64 = 1000

    /// Says that the driver has given up, and asks for a reset without waiting: for openings that fail.
    func giveUp() {
        add(.failed)
        structure.store8(0, at: Virtio.Common.deviceStatus)
    }

    // Features.

    func readFeatures() -> VirtioFeatures {
        var bits: UInt64 = 0
        for half in UInt32(0)..<2 {
            structure.store32(half, at: Virtio.Common.deviceFeatureSelect)
            bits |= UInt64(structure.load32(at: Virtio.Common.deviceFeature)) << (32 * half)
        }
        return VirtioFeatures(rawValue: bits)
    }

    /// Accepts a part of what was offered. The device may still refuse the combination.
    func accept(_ features: VirtioFeatures) throws(PortError) {
        for half in UInt32(0)..<2 {
            structure.store32(half, at: Virtio.Common.driverFeatureSelect)
            structure.store32(UInt32(truncatingIfNeeded: features.rawValue >> (32 * half)), at: Virtio.Common.driverFeature)
        }
        add(.featuresOK)
        let status = self.status
        try check()
        guard status.contains(.featuresOK) else {
            throw .device(
                .notUsable(
                    device: device.url, group: nil,
                    reason: "the device refuses the features 0x\(String(features.rawValue, radix: 16)), which it offered",
                    fix: "Report it with the device's kind and version."))
        }
    }

    var queueCount: Int { Int(structure.load16(at: Virtio.Common.queueCount)) }

    // Queues.

    /// The most descriptors that a queue can have; 0: there is no such queue.
    func maximumSize(ofQueue index: Int) -> Int {
        structure.store16(UInt16(truncatingIfNeeded: index), at: Virtio.Common.queueSelect)
        return Int(structure.load16(at: Virtio.Common.queueSize))
    }

    /// What a queue's notification address is a multiple of.
    func notifyOffset(ofQueue index: Int) -> UInt16 {
        structure.store16(UInt16(truncatingIfNeeded: index), at: Virtio.Common.queueSelect)
        return structure.load16(at: Virtio.Common.queueNotifyOffset)
    }

    /// Tells the device where a queue is, and switches it on.
    /// - Parameter vector: MSI-X vector of its interrupts; nil for none.
    func enable(queue index: Int, at area: VirtqueueArea, vector: Int?) throws(PortError) {
        structure.store16(UInt16(truncatingIfNeeded: index), at: Virtio.Common.queueSelect)
        structure.store16(UInt16(truncatingIfNeeded: area.layout.size), at: Virtio.Common.queueSize)
        structure.store64(area.descriptorIOVA, at: Virtio.Common.queueDescriptors)
        structure.store64(area.driverIOVA, at: Virtio.Common.queueDriver)
        structure.store64(area.deviceIOVA, at: Virtio.Common.queueDevice)
        let vector = vector.map { UInt16(truncatingIfNeeded: $0) } ?? Virtio.noVector
        structure.store16(vector, at: Virtio.Common.queueVector)
        // A device without room for the vector answers with none.
        guard structure.load16(at: Virtio.Common.queueVector) == vector else {
            throw .device(
                .notUsable(
                    device: device.url, group: nil, reason: "the device takes no interrupt vector for queue \(index)",
                    fix: "Run without --interrupts, or give the device more vectors (QEMU: vectors=N)."))
        }
        structure.store16(1, at: Virtio.Common.queueEnable)
        try fault.check()
    }

    /// No interrupts for changes of the configuration: it is read when somebody asks.
    func silenceConfigInterrupts() { structure.store16(Virtio.noVector, at: Virtio.Common.configVector) }

    /// Changes when the device's configuration does.
    var generation: UInt8 { structure.load8(at: Virtio.Common.configGeneration) }
}
