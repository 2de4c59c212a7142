public import DeviceMemory
public import NicRegisters

extension IOMMURequest {
    /// What the bytes of a request are.
    public enum Parsed: Equatable, Sendable {
        case request(IOMMURequest)
        /// The answer needs no look at domains and endpoints.
        case answer(IOMMUStatus)
        /// Of no known type, or too short for its type: the buffer goes back with nothing written.
        case unknown
    }

    /// The longest part that a device reads.
    public static let maximumByteCount = VirtioIOMMULayout.RequestType.allCases.map(\.byteCount).max() ?? 0

    /// Judges what a driver wrote. virtio 1.3 §5.13 "Device operations".
    /// - Parameters:
    ///   - bytes: a copy in memory of our own; what is behind the request's end is ignored.
    ///   - features: what was negotiated.
    public static func parse(_ bytes: MemoryWindow, features: VirtioFeatures) -> Parsed {
        typealias Layout = VirtioIOMMULayout
        guard bytes.byteCount >= Layout.Head.byteCount, let type = Layout.RequestType(rawValue: bytes.load8(at: Layout.Head.type)),
            bytes.byteCount >= type.byteCount
        else { return .unknown }
        switch type {
        case .attach: return parseAttach(bytes, features)
        case .detach:
            return .request(.detach(endpoint: bytes.load32(at: Layout.Detach.endpoint), domain: bytes.load32(at: Layout.Detach.domain)))
        case .map:
            // "This request is only available when VIRTIO_IOMMU_F_MAP_UNMAP has been negotiated."
            guard features.contains(.iommuMapUnmap) else { return .answer(.unsupported) }
            return .request(
                .map(
                    domain: bytes.load32(at: Layout.Map.domain), first: bytes.load64(at: Layout.Map.first),
                    last: bytes.load64(at: Layout.Map.last), physical: GuestPhysicalAddress(bytes.load64(at: Layout.Map.physical)),
                    flags: bytes.load32(at: Layout.Map.flags)))
        case .unmap:
            guard features.contains(.iommuMapUnmap) else { return .answer(.unsupported) }
            // "the device MAY set the request status to VIRTIO_IOMMU_S_INVAL"
            guard bytes.load32(at: Layout.Unmap.reserved) == 0 else { return .answer(.invalid) }
            return .request(
                .unmap(
                    domain: bytes.load32(at: Layout.Unmap.domain), first: bytes.load64(at: Layout.Unmap.first),
                    last: bytes.load64(at: Layout.Unmap.last)))
        case .probe:
            guard features.contains(.iommuProbe) else { return .unknown }
            return .request(.probe(endpoint: bytes.load32(at: Layout.Probe.endpoint)))
        }
    }

    private static func parseAttach(_ bytes: MemoryWindow, _ features: VirtioFeatures) -> Parsed {
        typealias Layout = VirtioIOMMULayout.Attach
        let flags = bytes.load32(at: Layout.flags)
        // "If the reserved field of an ATTACH request is not zero, the device MUST reject the request". The flag of a
        // feature that was not taken is none that is known.
        guard bytes.load32(at: Layout.reserved) == 0,
            features.contains(.iommuBypassConfig) || flags & Layout.bypassFlag == 0
        else { return .answer(.invalid) }
        return .request(
            .attach(endpoint: bytes.load32(at: Layout.endpoint), domain: bytes.load32(at: Layout.domain), flags: flags))
    }
}
