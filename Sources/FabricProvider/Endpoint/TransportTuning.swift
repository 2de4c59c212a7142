import LinuxIO
import MPIBridge

/// What a user may say of the transport.
enum TransportTuning {
    /// `UNIC_PEER_TIMEOUT`, whole seconds: a peer that is silent for so long while something is waited for has failed.
    static let peerTimeoutVariable = "UNIC_PEER_TIMEOUT"
    private static let peerTimeoutSeconds: ClosedRange<UInt64> = 1...86_400

    /// Nanoseconds; nil: the text is no such time.
    static func peerTimeout(_ text: String) -> UInt64? {
        guard let seconds = UInt64(text), peerTimeoutSeconds.contains(seconds) else { return nil }
        return seconds * 1_000_000_000
    }

    /// Changes what the environment says; tells of what cannot be understood.
    static func apply(to options: inout TransportOptions) {
        guard let text = Environment.text(peerTimeoutVariable) else { return }
        guard let time = peerTimeout(text) else {
            return Complaint.once(
                "unic: \(peerTimeoutVariable)='\(text)' is no number of seconds from \(peerTimeoutSeconds.lowerBound) to \(peerTimeoutSeconds.upperBound): \(options.peerTimeout / 1_000_000_000) are taken.\n"
            )
        }
        options.peerTimeout = time
    }
}
