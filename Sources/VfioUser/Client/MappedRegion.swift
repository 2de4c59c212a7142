import DeviceAccess
import Glibc
import LinuxIO

/// The mappable areas of a region, mapped. Drivers keep their windows for the device's life, whichever server is behind them.
final class MappedRegion {
    let areas: [MappedArea]
    private let mappings: [SharedMapping]

    /// - Parameter file: the known region's, whose size was judged.
    init(_ region: Int, _ known: KnownRegion, _ file: borrowing OwnedDescriptor, device: String) throws(DeviceError) {
        var areas: [MappedArea] = []
        var mappings: [SharedMapping] = []
        for area in known.info.mmappableAreas {
            do throws(SystemCallError) {
                let pages = try MappedPages(
                    sharing: file, fileOffset: Int(known.fileOffset + area.lowerBound),
                    byteCount: Int(area.upperBound - area.lowerBound), protection: known.info.protection, subject: "region \(region)")
                let mapping = SharedMapping(pages)
                mappings.append(mapping)
                areas.append(MappedArea(offset: area.lowerBound, window: mapping.window))
            } catch {
                throw .systemCall(
                    device: device, group: nil, cause: error, fix: "Raise vm.max_map_count, or let the server trap doorbells.")
            }
        }
        self.areas = areas
        self.mappings = mappings
    }

    /// Shows the file of another server, which has described the same areas, at the same addresses.
    func replace(_ region: Int, _ known: KnownRegion, _ file: borrowing OwnedDescriptor, device: String) throws(DeviceError) {
        for (area, mapping) in zip(known.info.mmappableAreas, mappings) {
            do throws(SystemCallError) {
                try mapping.replace(
                    sharing: file, fileOffset: Int(known.fileOffset + area.lowerBound), protection: known.info.protection,
                    subject: "region \(region)")
            } catch {
                throw .systemCall(device: device, group: nil, cause: error, fix: "Free some memory, and reconnect again.")
            }
        }
    }
}

extension RegionInfo {
    /// For mmap(2).
    fileprivate var protection: Int32 { (isReadable ? PROT_READ : 0) | (isWritable ? PROT_WRITE : 0) }
}
