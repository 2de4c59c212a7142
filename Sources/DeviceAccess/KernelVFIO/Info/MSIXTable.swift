/// Where a function keeps its MSI-X table (PCI Local Bus Specification 3.0, §6.8.2; linux/pci_regs.h, PCI_MSIX_*).
struct MSIXTable: Equatable, Sendable {
    let region: Int
    let range: Range<UInt64>

    /// Finds the MSI-X capability in the first 256 bytes of config space. nil if there is none, or a loop, or nonsense.
    static func find(inConfig config: InfoBytes) -> MSIXTable? {
        // Status bit 4: there is a capability list, which starts at the byte that 0x34 holds.
        guard let status = config.u16(at: 0x06), status & 0x10 != 0, let first = config.u16(at: 0x34) else { return nil }
        var at = Int(first & 0xfc)
        // 192 bytes of capabilities of at least 4 bytes each: 48 steps see every one.
        for _ in 0..<48 where at >= 0x40 {
            guard let header = config.u16(at: at) else { return nil }
            if header & 0xff == 0x11 { return parse(config, at: at) }
            at = Int(header >> 8) & 0xfc
        }
        return nil
    }

    private static func parse(_ config: InfoBytes, at: Int) -> MSIXTable? {
        guard let control = config.u16(at: at + 2), let table = config.u32(at: at + 4) else { return nil }
        let region = Int(table & 7)
        guard region < 6 else { return nil }
        let offset = UInt64(table & ~7)
        let entries = UInt64(control & 0x7ff) + 1
        return MSIXTable(region: region, range: offset..<(offset + 16 * entries))
    }
}
