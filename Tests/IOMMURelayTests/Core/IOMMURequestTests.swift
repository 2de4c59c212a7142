import Testing

@testable import IOMMURelay

@Suite struct IOMMURequestTests {
    /// VIRTIO_IOMMU_S_*, virtio 1.3 §5.13.6.
    @Test func statusCodesAreTheSpecifications() {
        #expect(IOMMUStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(IOMMUStatus.range.rawValue == 5 && IOMMUStatus.noEntry.rawValue == 6 && IOMMUStatus.noMemory.rawValue == 8)
    }
}
