import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

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

    var status: VirtioStatus { structure.read(Virtio.Common.deviceStatus) }

    func add(_ bit: VirtioStatus) { structure.write(status.union(bit), to: Virtio.Common.deviceStatus) }

    /// The status of a function that is there.
    private func presentStatus() throws(PortError) -> VirtioStatus {
        let status = self.status
        try fault.check()
        if status.rawValue == 0xff { throw .device(.gone(device: device.url, reason: "its device status reads all-ones")) }
        return status
    }

    /// Throws when the function is gone, or asks for a reset.
    func check() throws(PortError) {
        if try presentStatus().contains(.needsReset) {
            throw .device(
                .notUsable(
                    device: device.url, group: nil, reason: "the device has met an error and asks for a reset", fix: "Open it again."))
        }
    }

    /// Writes 0 and waits until the device says that it has let go of everything. Bounded.
    func reset() throws(PortError) {
        _ = try presentStatus()
        structure.write([], to: Virtio.Common.deviceStatus)
        let deadline = Deadline(afterMilliseconds: VirtioCommonConfig.resetMilliseconds)
        while true {
            let isLast = deadline.hasPassed
            let status = try presentStatus()
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
        structure.write([], to: Virtio.Common.deviceStatus)
    }

    // Features.

    func readFeatures() -> VirtioFeatures {
        var bits: UInt64 = 0
        for half in UInt32(0)..<2 {
            structure.write(half, to: Virtio.Common.deviceFeatureSelect)
            bits |= UInt64(structure.read(Virtio.Common.deviceFeature)) << (32 * half)
        }
        return VirtioFeatures(rawValue: bits)
    }

    /// Accepts a part of what was offered. The device may still refuse the combination.
    func accept(_ features: VirtioFeatures) throws(PortError) {
        for half in UInt32(0)..<2 {
            structure.write(half, to: Virtio.Common.driverFeatureSelect)
            structure.write(UInt32(truncatingIfNeeded: features.rawValue >> (32 * half)), to: Virtio.Common.driverFeature)
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

    var queueCount: Int { Int(structure.read(Virtio.Common.queueCount)) }

    // Queues.

    /// The most descriptors that a queue can have; 0: there is no such queue.
    func maximumSize(ofQueue index: Int) -> Int {
        structure.write(UInt16(truncatingIfNeeded: index), to: Virtio.Common.queueSelect)
        return Int(structure.read(Virtio.Common.queueSize))
    }

    /// What a queue's notification address is a multiple of.
    func notifyOffset(ofQueue index: Int) -> UInt16 {
        structure.write(UInt16(truncatingIfNeeded: index), to: Virtio.Common.queueSelect)
        return structure.read(Virtio.Common.queueNotifyOffset)
    }

    /// Tells the device where a queue is, and switches it on.
    /// - Parameter vector: MSI-X vector of its interrupts; nil for none.
    func enable(queue index: Int, at area: VirtqueueArea, vector: Int?) throws(PortError) {
        structure.write(UInt16(truncatingIfNeeded: index), to: Virtio.Common.queueSelect)
        structure.write(UInt16(truncatingIfNeeded: area.layout.size), to: Virtio.Common.queueSize)
        structure.write(area.descriptorIOVA, to: Virtio.Common.queueDescriptors)
        structure.write(area.driverIOVA, to: Virtio.Common.queueDriver)
        structure.write(area.deviceIOVA, to: Virtio.Common.queueDevice)
        let vector = vector.map { UInt16(truncatingIfNeeded: $0) } ?? Virtio.noVector
        structure.write(vector, to: Virtio.Common.queueVector)
        // A device without room for the vector answers with none.
        guard structure.read(Virtio.Common.queueVector) == vector else {
            throw .device(
                .notUsable(
                    device: device.url, group: nil, reason: "the device takes no interrupt vector for queue \(index)",
                    fix: "Run without --interrupts, or give the device more vectors (QEMU: vectors=N)."))
        }
        structure.write(1, to: Virtio.Common.queueEnable)
        try fault.check()
    }

    /// No interrupts for changes of the configuration: it is read when somebody asks.
    func silenceConfigInterrupts() { structure.write(Virtio.noVector, to: Virtio.Common.configVector) }

    /// Changes when the device's configuration does.
    var generation: UInt8 { structure.read(Virtio.Common.configGeneration) }
}
