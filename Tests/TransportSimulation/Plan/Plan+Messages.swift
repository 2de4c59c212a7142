import MPIBridge

extension Plan {
    /// Frames that a run may need at most, so that ten thousand runs take their minute.
    private static let frameBudget = 1_200

    mutating func planMessages(_ random: inout SplitMix) {
        let count = random.one(of: [5, 20, 40, 80])
        var budget = Self.frameBudget
        for number in 0..<count where budget > 0 {
            let from = random.below(rankCount)
            let to = (from + 1 + random.below(rankCount - 1)) % rankCount
            var byteCount = size(&random)
            let payload = shape.frameByteCount - 104
            byteCount = min(byteCount, max(budget, 1) * payload)
            budget -= 1 + byteCount / payload
            var options: OperationOptions = random.percent(85) ? .completes : []
            let isTagged = random.percent(70)
            if byteCount <= min(self.options.eagerLimit, payload), random.percent(30) { options.insert(.inject) }
            if random.percent(10) { options.insert(.delivery) }
            if !isTagged || random.percent(30) { options.insert(.carriesData) }
            messages.append(
                Message(
                    from: from, to: to, space: isTagged ? .tagged : .untagged,
                    tag: isTagged ? UInt64(number) << 32 | UInt64(random.below(3)) : 0,
                    data: options.contains(.carriesData) ? random.next() << 32 | UInt64(number) : 0, byteCount: byteCount,
                    options: options, cuts: cuts(byteCount, &random)))
        }
    }

    /// Around every length at which something changes.
    private func size(_ random: inout SplitMix) -> Int {
        let frame = shape.frameByteCount
        let edges = [
            0, 8, frame - 104, options.eagerLimit, frame - 88 + frame - 104, 3 * (frame - 96), 20 * (frame - 96), 64 * (frame - 96),
        ]
        switch random.below(10) {
        case 0: return 0
        case 1...3: return random.number(0...64)
        case 4...7: return max(0, random.one(of: edges) + random.number(-2...2))
        case 8: return random.number(0...20_000)
        default: return random.number(0...200_000)
        }
    }

    func cuts(_ byteCount: Int, _ random: inout SplitMix) -> [Int] {
        guard random.percent(30) else { return [] }
        return (0..<random.number(1...3)).map { _ in random.below(byteCount + 1) }.sorted()
    }

    private func filter(for number: Int, _ random: inout SplitMix) -> Filter {
        let message = messages[number]
        let source = random.percent(60) ? message.from : nil
        guard message.space == .tagged else { return Filter(space: .untagged, source: source, tag: 0, ignore: 0) }
        switch random.below(10) {
        case 0...4: return Filter(space: .tagged, source: source, tag: message.tag, ignore: 0)
        // Any of its class.
        case 5...7: return Filter(space: .tagged, source: source, tag: message.tag & 0xff, ignore: .max << 8)
        default: return Filter(space: .tagged, source: source, tag: random.next(), ignore: .max)
        }
    }

    /// Every rank's calls, shuffled; what nobody waits for is taken at the end.
    mutating func planScripts(_ random: inout SplitMix) {
        scripts = (0..<rankCount).map { _ in [] }
        var others: [[Action]] = scripts
        for (number, message) in messages.enumerated() {
            scripts[message.from].append(.send(number))
            let rank = message.to
            let filter = filter(for: number, &random)
            switch random.below(100) {
            case 0..<75:
                var byteCount = message.byteCount
                if random.percent(10) {
                    byteCount = random.below(byteCount + 1)
                } else if random.percent(30) {
                    byteCount += random.below(300)
                }
                others[rank].append(.receive(filter, byteCount: byteCount, cuts: cuts(byteCount, &random)))
            case 75..<80: others[rank].append(.receiveMany(filter, byteCount: message.byteCount + random.below(3_000)))
            case 80..<83: others[rank].append(.look(filter))
            case 83..<87:
                others[rank].append(.claim(filter))
                others[rank].append(.settleClaim(discards: random.percent(40)))
            case 87..<89: others[rank].append(.discard(filter))
            case 89..<92: others[rank].append(.cancel)
            default: break
            }
        }
        planAccesses(&others, &random)
        for rank in 0..<rankCount {
            if random.percent(30) { others[rank].append(.compute(pause(&random))) }
            merge(others[rank], into: rank, &random)
        }
    }

    private func pause(_ random: inout SplitMix) -> UInt64 {
        switch random.below(20) {
        // Long, but shorter than others wait for a sign of life.
        case 0: random.time(1_000_000_000...options.peerTimeout / 2)
        case 1...5: random.time(10_000_000...500_000_000)
        default: random.time(10_000...5_000_000)
        }
    }

    /// Sends stay in their order; the rest comes anywhere between them.
    private mutating func merge(_ others: [Action], into rank: Int, _ random: inout SplitMix) {
        var script = scripts[rank]
        // All receives before, all after, or mixed.
        let place = random.below(4)
        for action in others.shuffled(using: &random) {
            let at = place == 0 ? 0 : place == 1 ? script.count : random.below(script.count + 1)
            script.insert(action, at: at)
        }
        scripts[rank] = script
    }

    private func planAccesses(_ others: inout [[Action]], _ random: inout SplitMix) {
        guard random.percent(50) else { return }
        var free = (0..<rankCount).map { _ in 0 }
        for _ in 0..<random.number(1...10) {
            let from = random.below(rankCount)
            let to = (from + 1 + random.below(rankCount - 1)) % rankCount
            let direction: RemoteMemoryRequest.Direction = random.percent(50) ? .read : .write
            var byteCount = random.one(of: [0, 1, random.below(300), options.eagerLimit, options.eagerLimit + 1, random.below(20_000)])
            byteCount = min(byteCount, 40 * (shape.frameByteCount - 120), Self.regionByteCount)
            var accessOptions: OperationOptions = random.percent(85) ? .completes : []
            if direction == .write, random.percent(30) { accessOptions.insert(.carriesData) }
            if random.percent(30) { accessOptions.insert(.delivery) }
            var fault = random.percent(80) ? RemoteAccess.Fault.none : random.one(of: [.unknownKey, .outside, .forbidden])
            var offset = UInt64(random.below(Self.regionByteCount - byteCount + 1))
            if direction == .write, fault == .none {
                // Each write has a place of its own.
                if free[to] + byteCount > Self.regionByteCount { fault = .unknownKey } else { offset = UInt64(free[to]) }
                free[to] += byteCount
            }
            if fault == .outside {
                offset = random.one(of: [UInt64(Self.regionByteCount - byteCount + 1), .max, .max - UInt64(max(1, byteCount)) + 1, 1 << 63])
            }
            others[from].append(
                .access(
                    RemoteAccess(
                        direction: direction, to: to, offset: offset, byteCount: byteCount, options: accessOptions, data: random.next(),
                        fault: fault, cuts: cuts(byteCount, &random))))
        }
    }
}
