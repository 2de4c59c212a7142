import Glibc
import LinuxIO
import MPIBridge

/// What an endpoint did, in one line when it is closed, so that one sees that messages went this way. `UNIC_REPORT=1` writes it to
/// standard error; any other text is the beginning of a file's name, behind which come a dot and the process's number.
enum EndpointReport {
    static func write(device: String, _ counters: TransportCounters) {
        guard let wish = environmentVariable("UNIC_REPORT"), !wish.isEmpty, wish != "0" else { return }
        let line = text(device: device, process: getpid(), counters)
        if wish == "1" {
            StandardStream.error.write(line)
        } else {
            append(line, to: "\(wish).\(getpid())")
        }
    }

    static func text(device: String, process: Int32, _ counters: TransportCounters) -> String {
        let numbers: [(String, UInt64)] = [
            ("messages-sent", counters.messagesSent), ("bytes-sent", counters.bytesSent),
            ("messages-received", counters.messagesReceived), ("bytes-received", counters.bytesReceived),
            ("eager", counters.eagerSent), ("rendezvous", counters.rendezvousSent), ("unexpected", counters.unexpectedMessages),
            ("frames-sent", counters.framesSent), ("frames-received", counters.framesReceived),
            ("retransmitted", counters.retransmittedFrames), ("fast-retransmits", counters.fastRetransmits),
            ("timeouts", counters.timeouts), ("duplicates", counters.duplicateFrames), ("malformed", counters.malformedFrames),
            ("foreign", counters.foreignFrames), ("credit-stalls", counters.creditStalls), ("failed-peers", counters.failedPeers),
            ("reads-served", counters.readsServed), ("writes-served", counters.writesServed), ("atomics-served", counters.atomicsServed),
        ]
        return "unic: process \(process), \(device):" + numbers.map { " \($0.0)=\($0.1)" }.joined() + "\n"
    }

    private static func append(_ line: String, to path: String) {
        // SAFETY: the path lives for the call; the descriptor is closed before this returns.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let bytes = Array(line.utf8)
        // SAFETY: the array lives for the call.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }
}
