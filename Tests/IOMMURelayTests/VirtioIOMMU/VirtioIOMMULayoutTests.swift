import NicRegisters
import Testing

@testable import IOMMURelay

/// Against virtio 1.3 §5.13, written out by hand: each structure's fields in order with their widths.
@Suite struct VirtioIOMMULayoutTests {
    typealias Layout = VirtioIOMMULayout

    /// Offsets follow from the widths of what stands before.
    private func expectLayout(_ widths: [Int], _ fields: [(index: Int, offset: Int)], byteCount: Int, _ name: String) {
        let offsets = widths.indices.map { widths[..<$0].reduce(0, +) }
        #expect(widths.reduce(0, +) == byteCount, "\(name)")
        for (index, offset) in fields { #expect(offsets[index] == offset, "\(name), field \(index)") }
    }

    @Test func structuresAreTheSpecifications() {
        expectLayout(
            [8, 8, 8, 4, 4, 4, 1, 3],
            [
                (0, Layout.Config.pageSizeMask), (1, Layout.Config.inputRangeStart), (2, Layout.Config.inputRangeEnd),
                (3, Layout.Config.domainRangeStart), (4, Layout.Config.domainRangeEnd), (5, Layout.Config.probeByteCount),
                (6, Layout.Config.bypass),
            ], byteCount: Layout.Config.byteCount, "config")
        expectLayout([1, 3], [(0, Layout.Head.type)], byteCount: Layout.Head.byteCount, "head")
        expectLayout([1, 3], [(0, Layout.Tail.status)], byteCount: Layout.Tail.byteCount, "tail")
        expectLayout(
            [4, 4, 4, 4, 4],
            [(1, Layout.Attach.domain), (2, Layout.Attach.endpoint), (3, Layout.Attach.flags), (4, Layout.Attach.reserved)],
            byteCount: Layout.Attach.byteCount, "attach")
        expectLayout(
            [4, 4, 4, 8], [(1, Layout.Detach.domain), (2, Layout.Detach.endpoint), (3, Layout.Detach.reserved)],
            byteCount: Layout.Detach.byteCount, "detach")
        expectLayout(
            [4, 4, 8, 8, 8, 4],
            [(1, Layout.Map.domain), (2, Layout.Map.first), (3, Layout.Map.last), (4, Layout.Map.physical), (5, Layout.Map.flags)],
            byteCount: Layout.Map.byteCount, "map")
        expectLayout(
            [4, 4, 8, 8, 4],
            [(1, Layout.Unmap.domain), (2, Layout.Unmap.first), (3, Layout.Unmap.last), (4, Layout.Unmap.reserved)],
            byteCount: Layout.Unmap.byteCount, "unmap")
        expectLayout(
            [4, 4, 64], [(1, Layout.Probe.endpoint), (2, Layout.Probe.reserved)], byteCount: Layout.Probe.byteCount, "probe")
        expectLayout([2, 2], [(0, Layout.Property.type), (1, Layout.Property.length)], byteCount: Layout.Property.byteCount, "property")
        expectLayout(
            [4, 1, 3, 8, 8], [(1, Layout.ReservedMemory.subtype), (3, Layout.ReservedMemory.start), (4, Layout.ReservedMemory.end)],
            byteCount: Layout.ReservedMemory.byteCount, "reserved memory")
        expectLayout(
            [1, 3, 4, 4, 4, 8],
            [(0, Layout.Fault.reason), (2, Layout.Fault.flags), (3, Layout.Fault.endpoint), (5, Layout.Fault.address)],
            byteCount: Layout.Fault.byteCount, "fault")
    }

    /// linux/virtio_iommu.h.
    @Test func numbersAreTheHeaders() {
        #expect(Layout.RequestType.allCases.map(\.rawValue) == [1, 2, 3, 4, 5])
        #expect(Layout.RequestType.allCases.map(\.byteCount) == [20, 20, 36, 28, 72])
        #expect(IOMMURequest.maximumByteCount == 72)
        #expect(Layout.Attach.bypassFlag == 1)
        #expect([Layout.Map.readFlag, Layout.Map.writeFlag, Layout.Map.mmioFlag] == [1, 2, 4])
        #expect(Layout.Property.reservedMemory == 1 && Layout.ReservedMemory.reserved == 0 && Layout.ReservedMemory.msi == 1)
        #expect([Layout.Fault.readFlag, Layout.Fault.writeFlag, Layout.Fault.addressFlag] == [1, 2, 0x100])
        let features: [VirtioFeatures] = [
            .iommuInputRange, .iommuDomainRange, .iommuMapUnmap, .iommuBypass, .iommuProbe, .iommuMMIO, .iommuBypassConfig,
        ]
        #expect(features.map(\.rawValue) == [1, 2, 4, 8, 16, 32, 64])
        #expect(Layout.requestQueue == 0 && Layout.eventQueue == 1)
    }
}
