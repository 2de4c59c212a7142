import CLinuxShims
import DeviceMemory
import LinuxIO
import SystemPackage
import Testing

@testable import DeviceAccess

/// The ABI that is written down here and not taken from a header: include/uapi/linux/iommufd.h and vfio.h of Linux 6.12.
@Suite("iommufd's structures and requests") struct IOMMUFDAddressSpaceTests {
    @Test("structures have the kernel's sizes, and the later fields the kernel's offsets")
    func layouts() {
        #expect(MemoryLayout<unic_vfio_bind_iommufd>.size == 16)
        #expect(MemoryLayout<unic_vfio_bind_iommufd>.offset(of: \.iommufd) == 8)
        #expect(MemoryLayout<unic_vfio_bind_iommufd>.offset(of: \.out_devid) == 12)
        #expect(MemoryLayout<unic_vfio_attach_pt>.size == 12)
        #expect(MemoryLayout<unic_vfio_attach_pt>.offset(of: \.pt_id) == 8)
        #expect(MemoryLayout<unic_vfio_detach_pt>.size == 8)
        #expect(MemoryLayout<unic_iommu_destroy>.size == 8)
        #expect(MemoryLayout<unic_iommu_ioas_alloc>.size == 12)
        #expect(MemoryLayout<unic_iommu_ioas_alloc>.offset(of: \.out_ioas_id) == 8)
        #expect(MemoryLayout<unic_iommu_iova_range>.size == 16)
        #expect(MemoryLayout<unic_iommu_ioas_iova_ranges>.size == 32)
        #expect(MemoryLayout<unic_iommu_ioas_iova_ranges>.offset(of: \.num_iovas) == 8)
        #expect(MemoryLayout<unic_iommu_ioas_iova_ranges>.offset(of: \.allowed_iovas) == 16)
        #expect(MemoryLayout<unic_iommu_ioas_iova_ranges>.offset(of: \.out_iova_alignment) == 24)
        #expect(MemoryLayout<unic_iommu_ioas_map>.size == 40)
        #expect(MemoryLayout<unic_iommu_ioas_map>.offset(of: \.user_va) == 16)
        #expect(MemoryLayout<unic_iommu_ioas_map>.offset(of: \.length) == 24)
        #expect(MemoryLayout<unic_iommu_ioas_map>.offset(of: \.iova) == 32)
        #expect(MemoryLayout<unic_iommu_ioas_unmap>.size == 24)
        #expect(MemoryLayout<unic_iommu_ioas_unmap>.offset(of: \.iova) == 8)
    }

    @Test("requests have the kernel's numbers: type ';', 0x80 and up, and VFIO's ';', 100 and up")
    func requests() {
        #expect(unic_iommu_destroy_request == 0x3b80)
        #expect(unic_iommu_ioas_alloc_request == 0x3b81)
        #expect(unic_iommu_ioas_iova_ranges_request == 0x3b84)
        #expect(unic_iommu_ioas_map_request == 0x3b85)
        #expect(unic_iommu_ioas_unmap_request == 0x3b86)
        #expect(unic_vfio_device_bind_iommufd == 0x3b76)
        #expect(unic_vfio_device_attach_iommufd_pt == 0x3b77)
        #expect(unic_vfio_device_detach_iommufd_pt == 0x3b78)
    }

    @Test(
        "a map is always at a fixed place, and allows what was asked",
        arguments: [(DMAAccess.read, UInt32(1 | 4)), (.write, 1 | 2), (.readWrite, 1 | 2 | 4)])
    func mapping(access: DMAAccess, flags: UInt32) throws {
        let range = try #require(IOVARange(start: IOVA(0x40_0020_0000), byteCount: 0x3000))
        let request = IOAS.mapRequest(range, ioas: 7, address: 0x7fff_0000_1000, access: access)
        #expect(request.size == 40 && request.reserved == 0)
        #expect(request.flags == flags)
        #expect(request.ioas_id == 7)
        #expect(request.user_va == 0x7fff_0000_1000 && request.length == 0x3000 && request.iova == 0x40_0020_0000)
    }
}
