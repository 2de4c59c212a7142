import CVerbs
import Devices
import Glibc
import LinuxIO

/// The one device that programs see, for the process's life: no list of theirs owns it.
enum VerbsDevice {
    static let name = "unic0"
    /// rdma-core's providers look behind an `ibv_device` for what they know as theirs: zeros, there.
    private static let room = 1024

    // SAFETY: written once, before anybody has it; what is there never changes.
    nonisolated(unsafe) static let device: UnsafeMutablePointer<ibv_device>? = {
        // SAFETY: zeroed memory with room for the structure, all of whose members may be zero.
        guard let device = unsafe calloc(1, MemoryLayout<ibv_device>.size + room)?.assumingMemoryBound(to: ibv_device.self) else {
            return nil
        }
        // SAFETY: as above.
        unsafe device.pointee.node_type = IBV_NODE_CA
        unsafe device.pointee.transport_type = IBV_TRANSPORT_IB
        unsafe store(name, in: &device.pointee.name)
        unsafe store("uverbs-unic0", in: &device.pointee.dev_name)
        // SAFETY: as above. No such directories: what is read there fails, as for a device without sysfs.
        unsafe store("/sys/class/infiniband_verbs/unic-none", in: &device.pointee.dev_path)
        unsafe store("/sys/class/infiniband/unic-none", in: &device.pointee.ibdev_path)
        return unsafe device
    }()

    /// nil: `UNIC_DEVICES` names none; a person was told why.
    static func url() -> String? {
        do throws(DeviceList.Failure) {
            return try DeviceList.url(of: .current, text: environmentVariable(DeviceList.variable), otherwise: "soft:verbs")
        } catch {
            Complaint.once("\(error)")
            return nil
        }
    }

    /// An array of characters, of which the last one stays zero.
    private static func store<Characters>(_ text: String, in characters: inout Characters) {
        // SAFETY: bytes of a C array of characters, for the time of the call.
        unsafe withUnsafeMutableBytes(of: &characters) { bytes in
            for (index, byte) in text.utf8.prefix(bytes.count - 1).enumerated() { unsafe bytes[index] = byte }
        }
    }
}

/// Identifiers of 64 bits (EUI-64) from Ethernet addresses of 48: RFC 4291, appendix A.
enum NodeIdentifier {
    static func identifier(of mac: UInt64) -> UInt64 {
        let flipped = mac ^ 0x02_00_00_00_00_00
        return (flipped >> 24) << 40 | 0xff_fe << 24 | flipped & 0xff_ffff
    }
}
