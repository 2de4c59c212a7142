import DeviceMemory
import LinuxIO
import NicDriver

extension Devices {
    /// Memory for a port's packets.
    static func packetMemory(byteCount: Int, preference: PortOptions.MemoryPreference, url: String) throws(PortError) -> DMAMemory {
        do throws(SystemCallError) { return try DMAMemory.ordinary(byteCount: byteCount, name: "unic-packets") } catch {
            throw .noMemory(url: url, reason: error.description)
        }
    }
}
