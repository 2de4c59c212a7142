import VirtioModel

// Requests of a batch that continue each other are held back until one does not, or the batch ends: docs/decisions/0009.

/// Requests that were taken from the ring and not answered yet, each of which continues the one before.
struct RequestRun {
    private enum Stage { case collecting, together, apart }

    private(set) var requests: [IOMMURequest] = []
    private(set) var answers: [PendingAnswer] = []
    private var stage = Stage.collecting
    /// The one that comes next when they are carried out one by one, and whether the handler is at it.
    private var next = 0
    private var isBegun = false

    var count: Int { requests.count }
    /// The handler is at it.
    var isUnderWay: Bool { stage != .collecting }

    func isContinued(by parsed: IOMMURequest.Parsed) -> Bool {
        guard let last = requests.last, case .request(let request) = parsed else { return false }
        return request.continues(last)
    }

    mutating func append(_ request: IOMMURequest, _ answer: PendingAnswer) {
        requests.append(request)
        answers.append(answer)
    }

    mutating func removeAll() {
        requests.removeAll(keepingCapacity: true)
        answers.removeAll(keepingCapacity: true)
        (stage, next, isBegun) = (.collecting, 0, false)
    }

    /// Has all of them carried out as one. nil: they have to be one by one.
    mutating func goTogether(_ handler: any IOMMURequestHandler) -> IOMMUProgress? {
        let progress: IOMMUProgress
        switch stage {
        case .apart: return nil
        case .together: progress = handler.advance()
        case .collecting:
            stage = .apart
            guard count > 1 else { return nil }
            progress = handler.begin(together: requests)
        }
        switch progress {
        case .working: stage = .together
        case .done(.ok, _): break
        case .done: stage = .apart
        }
        return stage == .apart && progress != .done(.ok) ? nil : progress
    }

    /// The next one's status, with where it goes. nil: the handler is at it, or there is none any more.
    mutating func goApart(_ handler: any IOMMURequestHandler) -> (status: IOMMUStatus, answer: PendingAnswer)? {
        guard next < count else { return nil }
        let progress = isBegun ? handler.advance() : handler.begin(requests[next])
        isBegun = true
        guard case .done(let status, _) = progress else { return nil }
        isBegun = false
        defer { next += 1 }
        return (status, answers[next])
    }

    var isDone: Bool { next == count }
}

extension VirtioIOMMUFunction {
    /// False: it is to be carried out at once.
    mutating func hold(_ parsed: IOMMURequest.Parsed, _ chain: DescriptorChains.Chain) -> Bool {
        guard case .request(let request) = parsed, request.mayBeContinued, let kept = runChains.keepWritable(chain, of: chains) else {
            return false
        }
        run.append(request, PendingAnswer(chain: kept, probeByteCount: nil, isHeld: true))
        return true
    }

    /// Carries out what was held back, and answers it. False: the handler is still at it, or the queue was stopped.
    mutating func finishRun(_ queue: inout Virtqueue, _ used: inout Int) -> Bool {
        guard run.count > 0 else { return true }
        if let progress = run.goTogether(handler) {
            guard case .done(let status, _) = progress else { return false }
            for pending in run.answers where !answerHeld(pending, status, &queue, &used) { return false }
        } else {
            while let (status, pending) = run.goApart(handler) {
                guard answerHeld(pending, status, &queue, &used) else { return false }
            }
            guard run.isDone else { return false }
        }
        forgetRun()
        return true
    }

    /// A ring that is gone is not answered; what was taken from it is carried out all the same.
    private mutating func answerHeld(_ pending: PendingAnswer, _ status: IOMMUStatus, _ queue: inout Virtqueue, _ used: inout Int) -> Bool {
        guard queue.isReady else { return true }
        guard answer(pending, status, [], &queue) else {
            forgetRun()
            return false
        }
        used += 1
        return true
    }

    private mutating func forgetRun() {
        run.removeAll()
        runChains.removeAll()
    }
}
