import DeviceAccess
import LinuxIO
import SystemPackage
import Testing

/// Files that are none of VFIO's: what is written where, and that refusals are errors. The lab has real ones (RelayHostTests).
struct OpenedElsewhereTests {
    private func file(command: [UInt8], at offset: Int64) throws -> OwnedDescriptor {
        let file = try MemoryFile.create(name: "a device", byteCount: 8192)
        try file.write(command, at: offset + 4, subject: "the command register")
        return file
    }

    @Test func busMasterIsClearedAndAllElseStays() throws {
        let file = try file(command: [0xff, 0x05], at: 4096)
        let device = OpenedDevice(adopting: try file.duplicate(), configOffset: 4096, name: "0000:01:00.0")
        try device.endBusMastering()
        #expect(try file.read(byteCount: 4, at: 4096 + 4, subject: "it") == [0xfb, 0x05, 0, 0])
        #expect(try file.read(byteCount: 8, at: 0, subject: "it") == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test(arguments: [8192, UInt64(Int64.max), .max]) func configSpaceThatIsNotInTheFileIsAnError(offset: UInt64) throws {
        let device = OpenedDevice(adopting: try file(command: [7, 0], at: 0), configOffset: offset, name: "0000:01:00.0")
        #expect(throws: SystemCallError.self) { try device.endBusMastering() }
    }

    @Test func filesThatAreNotVFIOsRefuseByTheirCalls() throws {
        let device = OpenedDevice(adopting: try file(command: [7, 0], at: 0), configOffset: 0, name: "0000:01:00.0")
        let context = OpenedIOMMUFD(adopting: try file(command: [7, 0], at: 0))
        let container = OpenedContainer(adopting: try file(command: [7, 0], at: 0), name: "group 1")
        let refusals = [
            #expect(throws: SystemCallError.self) { try device.reset() },
            #expect(throws: SystemCallError.self) { _ = try context.unmapAll(space: 1) },
            #expect(throws: SystemCallError.self) { _ = try container.unmapAll() },
        ]
        #expect(refusals.map { $0?.call } == ["VFIO_DEVICE_RESET", "IOMMU_IOAS_UNMAP", "VFIO_IOMMU_UNMAP_DMA"])
        #expect(refusals.allSatisfy { $0?.errno == .inappropriateIOCTLForDevice }, "\(refusals)")
    }
}
