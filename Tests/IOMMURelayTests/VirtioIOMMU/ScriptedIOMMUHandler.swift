import DeviceMemory
import DeviceModel

@testable import IOMMURelay

/// Answers as a test says, and keeps what it was asked.
final class ScriptedIOMMUHandler: IOMMURequestHandler {
    private(set) var begun: [IOMMURequest] = []
    private(set) var advances = 0
    private(set) var resets = 0
    /// Told for each request; `working` needs one more look than `advancesLeft` says.
    var answer: (IOMMURequest) -> (IOMMUStatus, properties: [UInt8]) = { _ in (.ok, []) }
    /// How often a request says that it is not done.
    var looksARequest = 0
    private var underWay: (request: IOMMURequest, looks: Int)?
    var isIdle: Bool { underWay == nil }
    var bypassesUnattached = true
    var configuration = IOMMUConfiguration()
    var faults: [IOMMUFault] = []

    func begin(_ request: IOMMURequest) -> IOMMUProgress {
        precondition(underWay == nil, "a request before the one under way was done")
        begun.append(request)
        underWay = (request, looksARequest)
        return look()
    }

    func advance() -> IOMMUProgress {
        precondition(underWay != nil, "nothing is under way")
        advances += 1
        return look()
    }

    private func look() -> IOMMUProgress {
        guard let (request, looks) = underWay else { return .done(.deviceError) }
        if looks > 0 {
            underWay = (request, looks - 1)
            return .working
        }
        underWay = nil
        let (status, properties) = answer(request)
        return .done(status, properties: properties)
    }

    func reset() {
        resets += 1
        underWay = nil
    }

    func takeFault() -> IOMMUFault? { faults.isEmpty ? nil : faults.removeFirst() }
}
