import DeviceMemory
import NicRegisters
import Testing

@testable import IOMMURelay

@Suite struct IOMMURequestParseTests {
    private static let all: VirtioFeatures = [.version1, .iommuMapUnmap, .iommuProbe, .iommuBypassConfig]

    private func parse(_ bytes: [UInt8], _ features: VirtioFeatures = all) throws -> IOMMURequest.Parsed {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        memory.window.store(bytes, at: 0)
        return IOMMURequest.parse(memory.window.slice(at: 0, byteCount: bytes.count), features: features)
    }

    private static let whole: [([UInt8], IOMMURequest)] = [
        (GuestIOMMURequest.attach(endpoint: 0x0102_0304, domain: 7, flags: 1), .attach(endpoint: 0x0102_0304, domain: 7, flags: 1)),
        (GuestIOMMURequest.detach(endpoint: 8, domain: 0xffff_fffe), .detach(endpoint: 8, domain: 0xffff_fffe)),
        (
            GuestIOMMURequest.map(domain: 1, 0x1000, 0x1fff, to: 0x1_2345_6000, flags: 7),
            .map(domain: 1, first: 0x1000, last: 0x1fff, physical: GuestPhysicalAddress(0x1_2345_6000), flags: 7)
        ),
        (GuestIOMMURequest.unmap(domain: 1, 0, .max), .unmap(domain: 1, first: 0, last: .max)),
        (GuestIOMMURequest.probe(endpoint: 9, reserved: 0xaa), .probe(endpoint: 9)),
    ]

    @Test func eachKindIsUnderstoodAndWhatIsBehindItIsIgnored() throws {
        for (bytes, request) in Self.whole {
            #expect(try parse(bytes) == .request(request))
            #expect(try parse(bytes + [0xff, 0xff]) == .request(request))
            // "The device MUST ignore field reserved of struct virtio_iommu_req_head."
            #expect(try parse([bytes[0], 1, 2, 3] + bytes[4...]) == .request(request))
        }
    }

    @Test func aShorterOneIsNone() throws {
        for (bytes, _) in Self.whole {
            for count in 0..<bytes.count { #expect(try parse(Array(bytes[..<count])) == .unknown, "\(bytes[0]), \(count) bytes") }
        }
    }

    @Test func anotherTypeIsNone() throws {
        for type in (0...255).map({ UInt8($0) }) where !(1...5).contains(type) {
            #expect(try parse([type] + [UInt8](repeating: 0, count: 100)) == .unknown)
        }
    }

    @Test func reservedFieldsThatMustBeZeroAreLookedAt() throws {
        #expect(try parse(GuestIOMMURequest.attach(endpoint: 1, domain: 1, reserved: 1 << 31)) == .answer(.invalid))
        #expect(try parse(GuestIOMMURequest.unmap(domain: 1, 0, 1, reserved: 1)) == .answer(.invalid))
        #expect(try parse(GuestIOMMURequest.detach(endpoint: 1, domain: 2, reserved: .max)) == .request(.detach(endpoint: 1, domain: 2)))
    }

    @Test func whatWasNotNegotiatedIsNotThere() throws {
        let map = GuestIOMMURequest.map(domain: 1, 0, 0xfff, to: 0)
        #expect(try parse(map, [.version1]) == .answer(.unsupported))
        #expect(try parse(GuestIOMMURequest.unmap(domain: 1, 0, 0xfff), [.version1]) == .answer(.unsupported))
        #expect(try parse(GuestIOMMURequest.probe(endpoint: 1), [.version1]) == .unknown)
        let attach = GuestIOMMURequest.attach(endpoint: 1, domain: 1, flags: 1)
        #expect(try parse(attach, [.version1]) == .answer(.invalid))
        #expect(try parse(attach, [.version1, .iommuBypassConfig]) == .request(.attach(endpoint: 1, domain: 1, flags: 1)))
    }
}
