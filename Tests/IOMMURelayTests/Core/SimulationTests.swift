import DeviceMemory
import Testing

@testable import IOMMURelay

/// Random requests against ``NaiveIOMMU``, on a host that fails now and then.
@Suite struct SimulationTests {
    @Test(arguments: 1...50 as ClosedRange<UInt64>) func coreAgreesWithTheNaiveOne(seed: UInt64) throws {
        try Run(seed: seed).go(steps: 2000)
    }

    @Test(arguments: 51...80 as ClosedRange<UInt64>) func lazyCoreAgreesButForWhatIsLate(seed: UInt64) throws {
        try Run(seed: seed, LazyUnmap(mappings: 5, milliseconds: 10)).go(steps: 2000)
    }

    private struct Difference: Error { let what: String }

    private final class Run {
        let seed: UInt64
        var random: SplitMix
        let core: IOMMUCore
        var model = NaiveIOMMU(domainRange: 1...4, domainLimit: 3, mappingLimit: 12, byteLimit: 0x18000)
        var backs: [UInt32: FakeBack] = [:]
        var mappers: [FakeMapper] = []
        /// Endpoints that the host failed, and that were not attached again since.
        var excused: Set<UInt32> = []
        var isFailing = false
        var losses: UInt64 = 0

        init(seed: UInt64, _ lazyUnmap: LazyUnmap? = nil) {
            self.seed = seed
            random = SplitMix(seed: seed)
            core = IOMMUCore(
                configuration: .init(domainRange: 1...4), limits: .init(mappings: 12, domains: 3, mappedBytes: 0x18000, callsInAStep: 3),
                lazyUnmap: lazyUnmap)
        }

        /// Alone with a mapper a domain; two siblings with an alias and one container; two groups that share a mapper a domain.
        func populate() throws {
            var shared: [UInt32: FakeMapper] = [:]
            let container = makeMapper(pages: 3)
            var own: [UInt32: FakeMapper] = [:]
            for domain in 1...4 as ClosedRange<UInt32> { (own[domain], shared[domain]) = (makeMapper(pages: 4), makeMapper(pages: 1)) }
            let window = try #require(IOVARange(first: 0x6000, last: 0x7fff))
            let (others, alone) = (shared, own)
            try add(1, "a", windows: [window], FakeBack { alone[$0] ?? container })
            for id in [2, 3] as [UInt32] { try add(id, aliases: [9], "b", FakeBack(sharing: container)) }
            for id in [4, 5] as [UInt32] { try add(id, "\(id)", FakeBack { others[$0] ?? container }) }
            model.groups = [([1], [1], [window]), ([2, 3, 9], [2, 3], []), ([4], [4], []), ([5], [5], [])]
        }

        func makeMapper(pages: UInt64) -> FakeMapper {
            let mapper = FakeMapper(maximumPieceByteCount: pages << 12)
            mapper.failure = { [unowned self] _ in fails(one: 6) ? .noMemory("full") : nil }
            mappers.append(mapper)
            return mapper
        }

        func add(_ id: UInt32, aliases: [UInt32] = [], _ group: String, windows: [IOVARange] = [], _ back: FakeBack) throws {
            backs[id] = back
            try core.add(endpoint: id, aliases: aliases, group: group, reserved: windows.map { .init(.reserved, $0) }, back: back)
        }

        func fails(one of: Int) -> Bool {
            isFailing && Int.random(in: 0..<of, using: &random) == 0
        }

        func go(steps: Int) throws {
            try populate()
            for step in 0..<steps {
                do {
                    core.carryOutDeferred(at: UInt64(step) * 1_000_000)
                    switch Int.random(in: 0..<400, using: &random) {
                    case 0: reset()
                    case 1...3: bypass(Bool.random(using: &random))
                    default: if !(try runTogether()) { try run(request()) }
                    }
                    if core.losses != losses { excuseLost() }
                    try check()
                } catch let difference as Difference {
                    Issue.record("seed \(seed), step \(step): \(difference.what)")
                    return
                }
            }
        }

        func reset() {
            for back in backs.values { back.bypassFailure = nil }
            core.reset()
            model.reset()
            excused = []
        }

        func bypass(_ value: Bool) {
            for back in backs.values { back.bypassFailure = nil }
            core.bypassesUnattached = value
            model.bypassesUnattached = value
        }

        func request() -> IOMMURequest {
            let id: UInt32 = [1, 2, 3, 9, 4, 5, 6].randomElement(using: &random) ?? 1
            let domain = UInt32.random(in: Int.random(in: 0..<20, using: &random) == 0 ? 0...5 : 1...4, using: &random)
            let base: UInt64 = Bool.random(using: &random) ? 0 : 0 &- 0x8000
            let first = base &+ UInt64.random(in: 0..<8, using: &random) << 12
            var last = first &+ UInt64.random(in: 1...5, using: &random) << 12 &- 1
            if Int.random(in: 0..<30, using: &random) == 0 { last = UInt64.random(in: 0...UInt64.max, using: &random) }
            if Int.random(in: 0..<30, using: &random) == 0 { last = .max }
            let odd: UInt64 = Int.random(in: 0..<30, using: &random) == 0 ? 0x800 : 0
            let physical = GuestPhysicalAddress(UInt64.random(in: 0..<16, using: &random) << 12 &+ (Bool.random(using: &random) ? odd : 0))
            switch Int.random(in: 0..<20, using: &random) {
            case 0...4:
                let bypass: UInt32 = domain == 4 ? 1 : 0
                let flags = Int.random(in: 0..<20, using: &random) == 0 ? UInt32.random(in: 0...3, using: &random) : bypass
                return .attach(endpoint: id, domain: domain, flags: flags)
            case 5, 6: return .detach(endpoint: id, domain: model.asked[id] ?? domain)
            case 7...13:
                return .map(
                    domain: domain, first: first &+ odd, last: last, physical: physical, flags: UInt32.random(in: 1...3, using: &random))
            case 14...18: return .unmap(domain: domain, first: Bool.random(using: &random) ? first : base, last: last)
            default: return .probe(endpoint: id)
            }
        }

        func run(_ request: IOMMURequest) throws {
            let expected = model.answer(request)
            isFailing = Int.random(in: 0..<4, using: &random) == 0
            for back in backs.values {
                back.useFailure = fails(one: 20) ? .failed("use") : nil
                back.bypassFailure = fails(one: 20) ? .failed("bypass") : nil
                back.mapperFailure = fails(one: 20) ? .failed("mapper") : nil
            }
            let before = mappers.map(\.mapCount).reduce(0, +)
            let (hostCalls, refusals) = (core.statistics.hostMapCalls, core.lastRefusals)
            var progress = core.begin(request)
            while progress == .working {
                if Int.random(in: 0..<200, using: &random) == 0 { return reset() }
                progress = core.advance()
            }
            guard case .done(let status, _) = progress else { return }
            let calls = mappers.map(\.mapCount).reduce(0, +) - before
            guard core.statistics.hostMapCalls - hostCalls == UInt64(calls) else { throw Difference(what: "host calls are miscounted") }
            if status == .noMemory || status == .deviceError, status != expected {
                let reason = core.lastRefusals.last
                guard expected == .ok, reason?.request == request, reason?.status == status else {
                    throw Difference(what: "\(request): \(status), expected \(expected)")
                }
            } else {
                guard status == expected else { throw Difference(what: "\(request): \(status), expected \(expected)") }
            }
            if status == .ok { model.carryOut(request) }
            switch request {
            case .attach(let id, _, _), .detach(let id, _): excuse(id, status, hasFailed: core.lastRefusals != refusals)
            default: break
            }
        }

        /// Three requests that continue each other, of one page each: carried out as one, or without any effect.
        /// False: it was not the time for it.
        func runTogether() throws -> Bool {
            guard Int.random(in: 0..<4, using: &random) == 0 else { return false }
            let base: UInt64 = Bool.random(using: &random) ? 0 : 0 &- 0x8000
            let (domain, page) = (UInt32.random(in: 1...4, using: &random), UInt64.random(in: 0..<6, using: &random))
            let physical = UInt64.random(in: 0..<16, using: &random)
            let isMap = Bool.random(using: &random)
            let requests = (0..<3 as Range<UInt64>).map { index -> IOMMURequest in
                let first = base &+ (page + index) << 12
                guard isMap else { return .unmap(domain: domain, first: first, last: first + 0xfff) }
                let there = GuestPhysicalAddress((physical + index) << 12)
                return .map(domain: domain, first: first, last: first + 0xfff, physical: there, flags: 3)
            }
            var after = model
            let isRight = requests.allSatisfy { request in
                defer { after.carryOut(request) }
                return after.answer(request) == .ok
            }
            isFailing = Int.random(in: 0..<4, using: &random) == 0
            let refusals = core.lastRefusals
            var progress = core.begin(together: requests)
            while progress == .working { progress = core.advance() }
            guard progress == .done(.ok) else {
                guard !isRight || isFailing else { throw Difference(what: "\(requests) together: \(progress)") }
                guard core.lastRefusals == refusals || core.losses != losses else {
                    throw Difference(what: "a run that never was left a reason")
                }
                return true
            }
            guard isRight else { throw Difference(what: "\(requests) together: OK") }
            model = after
            return true
        }

        /// The host took a part of an area away, and did not map the rest again.
        func excuseLost() {
            losses = core.losses
            for endpoint in core.statistics.endpoints where endpoint.state == .failed { excused.insert(endpoint.id) }
        }

        /// An ATTACH that failed, or a DETACH that left siblings to a failing host, may leave endpoints of the group blocked.
        func excuse(_ id: UInt32, _ status: IOMMUStatus, hasFailed: Bool) {
            guard let group = model.groups.first(where: { $0.ids.contains(id) }), status != .unsupported else { return }
            if hasFailed { excused.formUnion(group.endpoints) } else if status == .ok { excused.subtract(group.endpoints) }
        }

        func check() throws {
            var used: Set<ObjectIdentifier> = []
            for (id, back) in backs {
                let aim = model.aim(id)
                switch (back.path, aim) {
                case (.blocked, .blocked), (.bypass, .bypass): break
                case (.mapper(let name), .domain(let domain)):
                    used.insert(name)
                    guard let mapper = back.mapper, let expected = model.domains[domain]?.mappings,
                        sees(mapper, expected, late(domain))
                    else { throw Difference(what: "endpoint \(id) does not see what is in domain \(domain)") }
                case (.blocked, _) where excused.contains(id): continue
                default: throw Difference(what: "endpoint \(id) is \(back.path.map { "\($0)" } ?? "nowhere"), expected \(aim)")
                }
            }
            for mapper in mappers {
                if let complaint = mapper.complaints.first { throw Difference(what: complaint) }
                mapper.calls = []
                guard mapper.pieces.isEmpty || used.contains(ObjectIdentifier(mapper)) else {
                    throw Difference(what: "a mapper of nobody holds pages")
                }
            }
            let statistics = core.statistics
            let mappings = model.domains.values.flatMap(\.mappings)
            guard statistics.domains == model.domains.count, statistics.mappings == mappings.count,
                statistics.mappedBytes == mappings.reduce(0, { $0 &+ $1.range.byteCount })
            else { throw Difference(what: "the sums differ: \(statistics)") }
        }

        /// Of what is late a part may have gone already, while the rest waits for the next step.
        private func sees(_ mapper: FakeMapper, _ expected: [IOVAMapping], _ late: [IOVAMapping]) -> Bool {
            let there = pages(mapper.pieces)
            return there.isSuperset(of: pages(expected)) && there.isSubset(of: pages(expected + late))
        }

        private func late(_ domain: UInt32) -> [IOVAMapping] {
            var result: [IOVAMapping] = []
            core.domains[domain]?.late.visit(from: IOVA(0)) { mapping in
                result.append(mapping)
                return true
            }
            return result
        }

        private struct Page: Hashable {
            let iova: UInt64
            let physical: UInt64
            let access: DMAAccess
        }

        /// Long mappings by their ends.
        private func pages(_ mappings: [IOVAMapping]) -> Set<Page> {
            var result: Set<Page> = []
            for mapping in mappings {
                for offset in stride(from: 0, to: mapping.range.byteCount, by: 4096) {
                    let physical = mapping.physical.rawValue + offset
                    result.insert(Page(iova: mapping.range.start.rawValue + offset, physical: physical, access: mapping.access))
                }
            }
            return result
        }
    }
}
