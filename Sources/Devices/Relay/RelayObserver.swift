public import IOMMURelay

/// What goes on in a relay, for a log. Called on the relay's thread.
public enum RelayNews: Sendable {
    case moved(endpoint: UInt32, domain: UInt32?, IOMMUStatus)
    case refused(IOMMURefusal)
    case faulted(IOMMUFault)
    case reset
    /// The guest waits, and this is why.
    case troubled(String)
}

/// Hands what the core tells to the trace and to the log.
final class RelayObserver: IOMMUObserver {
    let trace: RelayTrace
    let told: ((RelayNews) -> Void)?

    init(_ trace: RelayTrace, told: ((RelayNews) -> Void)?) {
        self.trace = trace
        self.told = told
    }

    var wantsRequests: Bool { trace.isListenedTo }
    func answered(_ request: IOMMURequest, _ status: IOMMUStatus, nanoseconds: UInt64) {
        trace.append(request, status, nanoseconds: nanoseconds)
    }
    func batchEnded() { trace.endBatch() }
    func moved(endpoint: UInt32, domain: UInt32?, _ status: IOMMUStatus) {
        told?(.moved(endpoint: endpoint, domain: domain, status))
    }
    func refused(_ refusal: IOMMURefusal) { told?(.refused(refusal)) }
    func faulted(_ fault: IOMMUFault) {
        trace.append(fault)
        told?(.faulted(fault))
    }
    func wasReset() {
        trace.appendReset()
        told?(.reset)
    }
}
