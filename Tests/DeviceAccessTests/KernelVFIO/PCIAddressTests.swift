import Testing

@testable import DeviceAccess

@Suite("PCI addresses") struct PCIAddressTests {
    @Test("a full address is parsed and written back as sysfs does")
    func full() throws {
        let address = try #require(PCIAddress("0000:01:1f.7"))
        #expect(address == PCIAddress(domain: 0, bus: 1, device: 31, function: 7))
        #expect(address.description == "0000:01:1f.7")
    }

    @Test("without a domain it is domain 0; upper case is understood")
    func short() {
        #expect(PCIAddress("AF:00.0")?.description == "0000:af:00.0")
    }

    @Test("a domain past 16 bits keeps its digits")
    func wideDomain() {
        #expect(PCIAddress("10000:01:00.0")?.description == "10000:01:00.0")
        #expect(PCIAddress("ffffffff:ff:1f.7")?.domain == .max)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", ":", ".", "0000:01:00", "0000:01:00.", "0000:01:00.8", "0000:01:20.0", "000:01:00.0", "0000:1:00.0", "0000:01:0.0",
            "123456789:01:00.0",
            "0000:01:00.0 ", " 0000:01:00.0", "0000:01:00.0.0", "0000:+1:00.0", "0000:01:-1.0", "0000:0g:00.0", "00:0000:01:00.0",
            "0000:01:00.00", "../:01:00.0",
        ])
    func refused(_ text: String) { #expect(PCIAddress(text) == nil) }

    @Test("numbers out of range make no address")
    func outOfRange() {
        #expect(PCIAddress(bus: 0, device: 32, function: 0) == nil)
        #expect(PCIAddress(bus: 0, device: 0, function: 8) == nil)
    }

    @Test("addresses sort by domain, bus, device, function")
    func order() {
        let sorted = ["0001:00:00.0", "0000:01:00.0", "0000:00:1f.0", "0000:00:02.1", "0000:00:02.0"].compactMap { PCIAddress($0) }.sorted()
        #expect(sorted.map(\.description) == ["0000:00:02.0", "0000:00:02.1", "0000:00:1f.0", "0000:01:00.0", "0001:00:00.0"])
    }
}
