import DeviceAccess
import DeviceMemory

/// The notification addresses of a function's queues (virtio 1.2 "Notification structure layout"). One that cannot be
/// mapped is a cell of our own, which is sent on after each batch.
struct VirtioNotifications {
    private let structures: VirtioStructures
    private let url: String

    init(_ structures: VirtioStructures, url: String) {
        self.structures = structures
        self.url = url
    }

    /// - Parameters:
    ///   - notifyOffset: as the device says it for this queue: judged here.
    ///   - trapped: takes the cell, if there is one.
    func notifier(queue: Int, notifyOffset: UInt16, trapped: inout [TrappedNotification]) throws(PortError) -> VirtioNotifier {
        let notifications = structures.notifications
        let offset = UInt64(notifyOffset) * UInt64(structures.notifyMultiplier)
        guard offset & 1 == 0, offset + 2 <= UInt64(notifications.byteCount) else {
            throw .device(
                .notUsable(
                    device: url, group: nil,
                    reason:
                        "the notification address of queue \(queue), at \(offset), is not inside its structure of \(notifications.byteCount) bytes",
                    fix: "The device breaks the virtio specification: report it with its kind and version."))
        }
        let number = UInt16(truncatingIfNeeded: queue)
        if let doorbell = notifications.doorbell(at: Int(offset)) { return VirtioNotifier(doorbell: doorbell, queue: number) }
        let cell = try TrappedNotification(notifications, at: Int(offset), url: url)
        trapped.append(cell)
        return VirtioNotifier(doorbell: cell.doorbell, queue: number)
    }
}

/// A notification address that is not mapped: rung in memory of our own, sent on through the seam.
final class TrappedNotification {
    private let notifications: VirtioStructure
    private let offset: Int
    private let memory: DMAMemory
    /// No queue has this number.
    private static let quiet: UInt16 = 0xffff

    init(_ notifications: VirtioStructure, at offset: Int, url: String) throws(PortError) {
        self.notifications = notifications
        self.offset = offset
        do { memory = try DMAMemory.ordinary(byteCount: 2, name: "unic-doorbell") } catch {
            throw .device(.systemCall(device: url, group: nil, cause: error, fix: "Free some memory."))
        }
        memory.window.store16(TrappedNotification.quiet, at: 0)
    }

    var doorbell: Doorbell16 { Doorbell16(memory.window, at: 0) }

    /// A new device has been told nothing, and need not be.
    func restart() { memory.window.store16(TrappedNotification.quiet, at: 0) }

    /// Notifies the device if the cell was rung since the last call.
    func forward() {
        let queue = memory.window.load16(at: 0)
        guard queue != TrappedNotification.quiet else { return }
        memory.window.store16(TrappedNotification.quiet, at: 0)
        notifications.store16(queue, at: offset)
    }
}
