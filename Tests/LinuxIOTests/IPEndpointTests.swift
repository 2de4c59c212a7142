import LinuxIO
import Testing

@Suite struct IPEndpointTests {
    @Test(arguments: ["192.0.2.1:4789", "0.0.0.0:1", "[2001:db8::1]:65535", "[::]:1"]) func isWrittenAsItWasRead(text: String) {
        #expect(IPEndpoint(text)?.description == text)
    }

    @Test func partsAreThoseOfTheText() throws {
        let four = try #require(IPEndpoint("192.0.2.1:80")), six = try #require(IPEndpoint("[2001:DB8:0::1]:0080"))
        #expect(four.address == [192, 0, 2, 1] && four.port == 80 && !four.isIPv6)
        #expect(six.address == [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1] && six.port == 80 && six.isIPv6)
    }

    @Test(arguments: [
        "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:+80", "1.2.3.4:-1", "1.2.3.4: 80", "1.2.3:80",
        "1.2.3.4.5:80",
        "1.2.3.256:80", "01.2.3.4.:80", "::1:80", "[::1]", "[::1]:", "[::1:80", "[]:80", "[1.2.3.4]:80", "[fe80::1%lo]:80", "localhost:80",
        "[::1]x:80", "1.2.3.4\0:80", "1.2.3.4:８０",
    ]) func anythingElseIsRefused(text: String) { #expect(IPEndpoint(text) == nil) }

    @Test func specialAddressesAreKnown() {
        #expect(IPEndpoint("0.0.0.0:1")?.isUnspecified == true && IPEndpoint("[::]:1")?.isUnspecified == true)
        for text in ["224.0.0.1:1", "239.1.2.3:1", "255.255.255.255:1", "[ff02::1]:1"] { #expect(IPEndpoint(text)?.isMulticast == true) }
        #expect(IPEndpoint("223.0.0.1:1")?.isMulticast == false && IPEndpoint("[fe80::1]:1")?.isMulticast == false)
    }
}
