import DeviceAccess
import DeviceMemory
import IOMMURelay
import Testing

@testable import HostBack

@Suite("What the host can do, told to the guest") struct HostLimitsTests {
    private func limits(_ windows: [IOVARange], pageSizes: UInt64 = 4096) -> DMALimits {
        DMALimits(windows: windows, pageSizes: pageSizes, maximumMappings: 100)
    }

    @Test func windowsOfAnIntelMachine() {
        let host = limits([range(0, 0xfedf_ffff), range(0xfef0_0000, 0x7f_ffff_ffff)])
        let configuration = IOMMUConfiguration(limits: [host])
        #expect(configuration.inputRange == 0...0x7f_ffff_ffff)
        #expect(configuration.pageSizeMask == ~0xfff)
        #expect(ReservedWindow.windows(of: host, in: configuration) == [ReservedWindow(.msi, range(0xfee0_0000, 0xfeef_ffff))])
    }

    @Test func endpointsWithDifferentWindowsEachHaveTheirGaps() {
        let small = limits([range(0x1000, 0xffff_ffff)], pageSizes: 0x1_0000)
        let large = limits([range(0, 0xfdff_ffff), range(0xff00_0000, 0x7f_ffff_ffff)])
        let configuration = IOMMUConfiguration(limits: [small, large])
        #expect(configuration.inputRange == 0...0x7f_ffff_ffff)
        #expect(configuration.pageSizeMask == ~0xffff, "pages that suit both")
        #expect(
            ReservedWindow.windows(of: small, in: configuration) == [
                ReservedWindow(.reserved, range(0, 0xfff)), ReservedWindow(.reserved, range(0x1_0000_0000, 0x7f_ffff_ffff)),
            ])
        #expect(
            ReservedWindow.windows(of: large, in: configuration) == [
                ReservedWindow(.reserved, range(0xfe00_0000, 0xfedf_ffff)), ReservedWindow(.msi, range(0xfee0_0000, 0xfeef_ffff)),
                ReservedWindow(.reserved, range(0xfef0_0000, 0xfeff_ffff)),
            ])
    }

    @Test func noWindowsAtAllReserveEverything() {
        let configuration = IOMMUConfiguration(inputRange: 0...0xffff)
        #expect(ReservedWindow.windows(of: limits([]), in: configuration) == [ReservedWindow(.reserved, range(0, 0xffff))])
        #expect(ReservedWindow.windows(of: limits([range(0, .max - 4096)]), in: IOMMUConfiguration()).count == 1)
    }
}
