import DeviceAccess
public import DeviceMemory
import LinuxIO
import NicDriver

extension Devices {
    /// Told what packet memory a port got, and why it was not what it might have been.
    public typealias MemoryNotice = (HugepageOutcome) -> Void

    /// Memory for a port's packets. A model in this process translates no addresses, so that it gets ordinary pages unless
    /// hugepages are insisted on.
    static func packetMemory(
        byteCount: Int, preference: PortOptions.MemoryPreference, device: any DeviceAccess, notice: MemoryNotice
    ) throws(PortError) -> DMAMemory {
        if device.dmaLimits.seesPhysicalAddresses { return try contiguousMemory(byteCount: byteCount, device: device, notice: notice) }
        let wantsHugepages = preference == .hugepagesOnly || preference == .hugepagesIfThere && device.progress == nil
        do throws(SystemCallError) {
            let allocation = try HugepageAllocator().allocate(
                byteCount: byteCount, preference: wantsHugepages ? .automatic : .pages(.base), name: "unic-packets")
            notice(allocation.outcome)
            if preference == .hugepagesOnly, allocation.outcome.pageSize == .base {
                throw SystemCallError(
                    call: "hugepage allocation", subject: allocation.outcome.notes.map(\.description).joined(separator: " "),
                    errno: .noMemory)
            }
            return allocation.takeMemory()
        } catch {
            throw .noMemory(url: device.url, reason: error.description)
        }
    }

    /// No IOMMU makes one piece out of many: hugepages that follow one another, whatever pages are preferred.
    private static func contiguousMemory(byteCount: Int, device: any DeviceAccess, notice: MemoryNotice) throws(PortError) -> DMAMemory {
        do throws(ContiguousMemoryError) {
            let allocation = try HugepageAllocator().allocateContiguous(byteCount: byteCount, name: "unic-packets")
            notice(allocation.outcome)
            return allocation.takeMemory()
        } catch { throw .noMemory(url: device.url, reason: error.description) }
    }
}
