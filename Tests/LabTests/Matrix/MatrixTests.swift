import LabKit
import Testing

/// Every family of NICs behind every IOMMU through every interface of VFIO. One boot serves all cells of one IOMMU; both
/// ends are ours here. Families meet other drivers in tests of their own.
@Suite(.serialized) struct MatrixTests {
    static let families: [NIC] = [.e1000e, .igb, .virtioNet, .virtioNetPacked]
    static let backends = ["type1", "iommufd"]

    private func guest(_ iommu: Guest.IOMMU) throws -> Guest {
        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.emulator = .backports
        guest.iommu = iommu
        guest.hugepageCount = 128
        guest.memoryMebibytes = 1536
        guest.portCounts = Dictionary(uniqueKeysWithValues: Self.families.map { ($0, $0 == .igb ? 1 : 2) })
        return guest
    }

    /// What comes before the cells: virtual functions are made and given to VFIO.
    private var preparation: String {
        guard Self.families.contains(.igb) else { return "" }
        return "bind-vfio $(make-vfs \(NIC.igb.address(ofPort: 0)))\n"
    }

    private func run(_ guest: Guest, _ cells: [Cell], seconds: Int) throws {
        let run = try guest.run(preparation + cells.map(\.script).joined(), timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(2000)) \(run.errorOutput.suffix(3000))")
        for cell in cells { try cell.check(run, in: guest.iommu.rawValue) }
    }

    @Test(arguments: [Guest.IOMMU.intel, .virtio]) func everyFamilyThroughEveryInterface(iommu: Guest.IOMMU) throws {
        let cells = Self.families.flatMap { nic in Self.backends.map { Cell(nic: nic, backend: $0) } }
        try run(guest(iommu), cells, seconds: 900)
    }

    @Test func anIOMMUOfAMD() throws {
        try run(guest(.amd), [Cell(nic: .e1000e, backend: "iommufd")], seconds: 300)
    }

    @Test func noIOMMUAtAll() throws {
        var guest = try guest(.none)
        guest.allowsNoIOMMU = true
        try run(guest, Self.families.map { Cell(nic: $0, backend: "noiommu") }, seconds: 600)
    }
}
