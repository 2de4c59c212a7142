/// Second addresses of registers, kept from older devices of the family. The driver uses none; a model answers on both.
///
/// QEMU hw/net/e1000_regs.h and e1000x_regs.h (E1000_*_A, E1000_CTRL_DUP) and e1000e_core.c mac_reg_access.
extension E1000E {
    /// Runs of aliases: first byte, bytes, first byte of the registers meant.
    public static let aliases: [(offset: Int, byteCount: Int, target: Int)] = [
        (0x0004, 0x004, 0x0000), (0x0040, 0x080, 0x5400), (0x0108, 0x004, 0x2820), (0x0110, 0x00c, 0x2800),
        (0x0120, 0x004, 0x2810), (0x0128, 0x004, 0x2818), (0x0160, 0x004, 0x2168), (0x0168, 0x004, 0x2160),
        (0x0420, 0x00c, 0x3800), (0x0430, 0x004, 0x3810), (0x0438, 0x004, 0x3818), (0x0440, 0x004, 0x3820),
        (0x0600, 0x200, 0x5600),
    ]

    /// The register meant by `offset`: itself, unless it is an alias. Takes any number.
    public static func canonicalOffset(_ offset: Int) -> Int {
        for run in aliases where offset >= run.offset && offset &- run.offset < run.byteCount {
            return run.target &+ (offset &- run.offset)
        }
        return offset
    }
}
