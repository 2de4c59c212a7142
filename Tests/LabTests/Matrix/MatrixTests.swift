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

    private func start(_ guest: Guest, _ cells: [Cell], seconds: Int) throws -> RunningGuest {
        try guest.start(preparation + cells.map(\.script).joined(), timeLimitSeconds: seconds)
    }

    private func check(_ running: RunningGuest, _ guest: Guest, _ cells: [Cell]) throws {
        let run = try running.finish()
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(2000)) \(run.errorOutput.suffix(3000))")
        for cell in cells { try cell.check(run, in: guest.iommu.rawValue) }
    }

    /// Two guests at once: each has one processor, and this machine has two.
    @Test func everyFamilyThroughEveryInterface() throws {
        let cells = Self.families.flatMap { nic in Self.backends.map { Cell(nic: nic, backend: $0) } }
        let (intel, virtio) = (try guest(.intel), try guest(.virtio))
        let behindIntel = try start(intel, cells, seconds: 900)
        let behindVirtio = try start(virtio, cells, seconds: 900)
        try check(behindIntel, intel, cells)
        try check(behindVirtio, virtio, cells)
    }

    @Test func anIOMMUOfAMDAndNoneAtAll() throws {
        let amd = try guest(.amd)
        var none = try guest(.none)
        none.allowsNoIOMMU = true
        let behindAMD = [Cell(nic: .e1000e, backend: "iommufd")]
        let unprotected = Self.families.map { Cell(nic: $0, backend: "noiommu") }
        let first = try start(amd, behindAMD, seconds: 300)
        let second = try start(none, unprotected, seconds: 600)
        try check(first, amd, behindAMD)
        try check(second, none, unprotected)
    }
}
