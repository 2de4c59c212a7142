import Testing

@testable import HostSetup

@Suite struct DefaultRoutesTests {
    static let four = """
        Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
        eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
        eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
        eth2\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
        eth3\t00000000\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
        """

    @Test func theDefaultRouteIsTheOneWithoutAMask() {
        #expect(DefaultRoutes.interfaces(inRoute: Self.four) == ["eth0"], "eth2's rejects, eth3's covers a part of the world")
    }

    @Test func rejectingRoutesOfIPv6DoNotCount() {
        let zero = String(repeating: "0", count: 32)
        let text = """
            \(zero) 00 \(zero) 00 \(zero) ffffffff 00000001 00000000 00200200       lo
            \(zero) 00 \(zero) 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth4
            fd00\(String(repeating: "0", count: 28)) 40 \(zero) 00 \(zero) 00000100 00000001 00000000 00000001     eth5
            """
        #expect(DefaultRoutes.interfaces(inIPv6Route: text) == ["eth4"])
    }

    @Test(arguments: ["", "\n", "Iface\neth0", "Iface\neth0 zz zz zz 0 0 0 zz", "Iface\n0 0 0 0 0 0 0"])
    func whatIsNoTableHasNoRoutes(_ text: String) {
        #expect(DefaultRoutes.interfaces(inRoute: text).isEmpty && DefaultRoutes.interfaces(inIPv6Route: text).isEmpty)
    }
}
