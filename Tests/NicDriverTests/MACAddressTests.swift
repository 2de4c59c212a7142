import NicDriver
import Testing

struct MACAddressTests {
    @Test func textRoundTrips() throws {
        let address = try #require(MACAddress("02:00:5e:10:a0:ff"))
        #expect(address.bytes == [0x02, 0x00, 0x5e, 0x10, 0xa0, 0xff])
        #expect(address.description == "02:00:5e:10:a0:ff")
        #expect(MACAddress(address.bytes) == address)
    }

    @Test(arguments: [
        "", "02", "02:00:5e:10:a0", "02:00:5e:10:a0:ff:01", "02:00:5e:10:a0:fg", "2:0:5e:10:a0:ff", "02-00-5e-10-a0-ff",
        "+2:00:5e:10:a0:ff",
    ])
    func badTextIsNoAddress(text: String) { #expect(MACAddress(text) == nil) }

    @Test func theLowestBitOfTheFirstByteMeansMulticast() throws {
        #expect(try #require(MACAddress("01:00:5e:00:00:01")).isMulticast)
        #expect(MACAddress.broadcast.isMulticast)
        #expect(try !#require(MACAddress("02:00:00:00:00:01")).isMulticast)
    }
}
