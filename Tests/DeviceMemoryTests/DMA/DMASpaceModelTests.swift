import DeviceMemory
import Testing

/// A space against the same rules written as plainly as possible.
@Suite struct DMASpaceModelTests {
    struct Shape: Sendable {
        let limit: Int
        /// Of each of the two places where ranges are, the bottom and the top of the address space.
        let span: UInt64
        let longest: UInt64
        let steps: Int

        static let crowded = Shape(limit: 24, span: 1024, longest: 200, steps: 600)
        /// A tree that grows and shrinks.
        static let many = Shape(limit: 3000, span: 25_000, longest: 12, steps: 8000)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func agreesWithANaiveMap(seed: UInt64) throws {
        try Run(.crowded, seed: seed).go()
    }

    @Test(arguments: 1...2 as ClosedRange<UInt64>) func agreesWithANaiveMapOfManyEntries(seed: UInt64) throws {
        try Run(.many, seed: seed).go()
    }

    private final class Run {
        let shape: Shape
        let seed: UInt64
        var random: SplitMix
        let space: DMASpace
        var model = NaiveMap()
        let memory = TestMemory(byteCount: 4096)
        var mirror: [UInt8] = []

        init(_ shape: Shape, seed: UInt64) {
            self.shape = shape
            self.seed = seed
            random = SplitMix(seed: seed)
            space = DMASpace(maximumEntries: shape.limit)
        }

        func go() throws {
            mirror = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
            memory.window.store(mirror, at: 0)
            // Times of growth and times of loss.
            for step in 0..<shape.steps {
                let maps = step * 5 / shape.steps % 2 == 0 ? 13 : 4
                switch Int.random(in: 0..<16, using: &random) {
                case ..<maps: try map()
                case 13: try unmap()
                case 14: read()
                default: write()
                }
                #expect(space.count == model.entries.count, "seed \(seed)")
                #expect(space.mappedByteCount == model.byteCount, "seed \(seed)")
            }
        }

        func randomRange() throws -> IOVARange {
            while true {
                let base = Bool.random(using: &random) ? 0 : UInt64.max - (shape.span - 1)
                let start = base + UInt64.random(in: 0..<shape.span, using: &random)
                let range = IOVARange(start: IOVA(start), byteCount: UInt64.random(in: 1...shape.longest, using: &random))
                if let range { return range }
            }
        }

        func map() throws {
            let range = try randomRange()
            let access = try #require([DMAAccess.read, .write, .readWrite].randomElement(using: &random))
            let offset = Int.random(in: 0...(memory.window.byteCount - Int(shape.longest)), using: &random)
            let window = memory.window.slice(at: offset, byteCount: Int(range.byteCount))
            #expect(space.isFree(range) == model.isFree(range), "seed \(seed)")
            let mapped: Bool
            do { try space.map(range, to: window, access: access); mapped = true } catch { mapped = false }
            #expect(mapped == model.map(range, offset: offset, access, limit: shape.limit), "seed \(seed)")
        }

        /// Anywhere, or from one entry's beginning to the end of another one, mostly a near one.
        func unmap() throws {
            var range = try randomRange()
            if let first = model.entries.randomElement(using: &random)?.range, Int.random(in: 0..<8, using: &random) > 0 {
                let reach = Int.random(in: 0..<100, using: &random) == 0 ? UInt64.max : 8 * shape.longest
                let ends = model.entries.filter { $0.range.start >= first.start && $0.range.last - first.start.rawValue < reach }
                if let last = ends.randomElement(using: &random)?.range.last {
                    range = try #require(IOVARange(first: first.start.rawValue, last: last))
                }
            }
            #expect(space.unmap(range)?.map(\.range) == model.unmap(range), "seed \(seed)")
        }

        func read() {
            guard let range = try? randomRange() else { return }
            let count = Int(range.byteCount)
            let expected = model.offsets(range, .read).map { $0.map { mirror[$0] } }
            let target = TestMemory(byteCount: count)
            let found =
                space.read(range.start, byteCount: count, to: target.window, at: 0) ? target.window.bytes(at: 0, byteCount: count) : nil
            #expect(found == expected, "seed \(seed)")
            let offset = model.offset(ofWhole: range, .read)
            let window = space.translate(range.start, byteCount: count, access: .read)
            #expect(window?.bytes(at: 0, byteCount: count) == offset.map { Array(mirror[$0..<$0 + count]) }, "seed \(seed)")
        }

        func write() {
            guard let range = try? randomRange() else { return }
            let bytes = (0..<range.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
            let source = TestMemory(byteCount: bytes.count)
            source.window.store(bytes, at: 0)
            let written = space.write(range.start, byteCount: bytes.count, from: source.window, at: 0)
            // What was copied before a fault lies before the first byte that is not mapped.
            for (offset, byte) in zip(model.offsetsBeforeFault(range, .write), bytes) { mirror[offset] = byte }
            #expect(written == (model.offsets(range, .write) != nil), "seed \(seed)")
            #expect(memory.window.bytes(at: 0, byteCount: mirror.count) == mirror, "seed \(seed)")
        }
    }
}

struct NaiveMap {
    typealias Entry = (range: IOVARange, offset: Int, access: DMAAccess)
    var entries: [Entry] = []

    var byteCount: UInt64 { entries.reduce(0) { $0 + $1.range.byteCount } }

    func isFree(_ range: IOVARange) -> Bool { !entries.contains { $0.range.overlaps(range) } }

    mutating func map(_ range: IOVARange, offset: Int, _ access: DMAAccess, limit: Int) -> Bool {
        guard entries.count < limit, isFree(range) else { return false }
        entries.append((range, offset, access))
        return true
    }

    mutating func unmap(_ range: IOVARange) -> [IOVARange]? {
        let touched = entries.filter { $0.range.overlaps(range) }.map(\.range).sorted { $0.start < $1.start }
        guard touched.allSatisfy({ range.contains($0) }) else { return nil }
        entries.removeAll { range.contains($0.range) }
        return touched
    }

    func offsets(_ range: IOVARange, _ access: DMAAccess) -> [Int]? {
        let found = offsetsBeforeFault(range, access)
        return found.count == Int(range.byteCount) ? found : nil
    }

    func offsetsBeforeFault(_ range: IOVARange, _ access: DMAAccess) -> [Int] {
        let touched = entries.filter { $0.range.overlaps(range) && $0.access.isSuperset(of: access) }
        var result: [Int] = []
        for index in 0..<range.byteCount {
            let at = range.start.rawValue + index
            guard let entry = touched.first(where: { $0.range.start.rawValue <= at && at <= $0.range.last }) else { break }
            result.append(entry.offset + Int(at - entry.range.start.rawValue))
        }
        return result
    }

    func offset(ofWhole range: IOVARange, _ access: DMAAccess) -> Int? {
        entries.first { $0.range.contains(range) && $0.access.isSuperset(of: access) }.map {
            $0.offset + Int(range.start.rawValue - $0.range.start.rawValue)
        }
    }
}
