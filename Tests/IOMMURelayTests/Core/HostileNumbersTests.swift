import DeviceMemory
import Testing

@testable import IOMMURelay

/// Whatever numbers a guest sends: an answer, and a host that is asked for nothing foolish.
@Suite struct HostileNumbersTests {
    static let numbers: [UInt64] = [
        0, 1, 0xfff, 0x1000, 1 << 32, 1 << 63 - 1, 1 << 63, .max - 0x1000, .max - 0xfff, .max - 1, .max,
    ]

    @Test(arguments: [1, 1 << 12, 1 << 63, ~0xfff, UInt64.max], [3, 1 << 26, 1 << 63, .max] as [UInt64])
    func everyCombinationIsAnswered(pageSizeMask: UInt64, piece: UInt64) throws {
        // Pieces so small that the largest mapping would take for ever: few bytes may be mapped then.
        let limit: UInt64 = piece < 1 << 32 ? 1 << 13 : .max
        let core = IOMMUCore(configuration: .init(pageSizeMask: pageSizeMask), limits: .init(mappedBytes: limit))
        let mappers = [FakeMapper(maximumPieceByteCount: piece), FakeMapper(maximumPieceByteCount: piece)]
        for (id, mapper) in zip([0, UInt32.max], mappers) { try core.add(endpoint: id, group: "\(id)", back: FakeBack(sharing: mapper)) }
        #expect(core.attach(0, .max) == .ok)
        for first in Self.numbers {
            for last in Self.numbers {
                for physical in Self.numbers { core.map(.max, first, last, to: physical) }
                core.unmap(.max, last, first)
                if first & 1 == 0 { core.unmap(.max, first, last) }
            }
            core.attach(.max, first & 1 == 0 ? .max : 0)
        }
        #expect(core.unmap(.max, 0, .max) == .ok)
        #expect(mappers.allSatisfy { $0.pieces.isEmpty && $0.complaints.isEmpty } && core.statistics.mappedBytes == 0)
    }

    @Test func twoHalvesOfTheAddressSpaceComeAndGo() throws {
        let mapper = FakeMapper(maximumPieceByteCount: .max)
        let core = IOMMUCore(limits: .init(mappedBytes: .max))
        try core.add(endpoint: 1, group: "1", back: FakeBack(sharing: mapper))
        core.attach(1, 1)
        #expect(core.map(1, 0, 1 << 63 - 1) == .ok && core.map(1, 1 << 63, .max) == .noMemory)
        #expect(core.map(1, 1 << 63 + 0x1000, .max) == .ok && core.statistics.mappedBytes == .max - 0xfff)
        #expect(core.unmap(1, 0, .max) == .ok && mapper.pieces.isEmpty && mapper.complaints.isEmpty)
    }
}
