import Glibc
import LinuxIO
import MPIBridge
import NicDriver

/// What an adapter did, in one line when it is closed, so that one sees that messages went this way. `UNIC_REPORT=1` writes it to
/// standard error; any other text is the beginning of a file's name, behind which come a dot and the process's number.
enum AdapterReport {
    static func write(device: String, _ adapter: AdapterCounters, _ transport: TransportCounters, _ port: QueueCounters) {
        guard let wish = environmentVariable("UNIC_REPORT"), !wish.isEmpty, wish != "0" else { return }
        let line = text(device: device, process: getpid(), adapter, transport, port)
        if wish == "1" { StandardStream.error.write(line) } else { append(line, to: "\(wish).\(getpid())") }
    }

    static func text(
        device: String, process: Int32, _ adapter: AdapterCounters, _ transport: TransportCounters, _ port: QueueCounters
    ) -> String {
        let numbers: [(String, UInt64)] = [
            ("port-frames-sent", port.sentFrames), ("port-frames-received", port.receivedFrames),
            ("datagrams-sent", adapter.datagramsSent), ("datagrams-received", adapter.datagramsReceived),
            ("datagrams-refused", adapter.datagramsRefused), ("datagrams-without-receive", adapter.datagramsWithoutReceive),
            ("reports", adapter.reportsSent), ("messages-sent", transport.messagesSent), ("bytes-sent", transport.bytesSent),
            ("messages-received", transport.messagesReceived), ("bytes-received", transport.bytesReceived),
            ("rendezvous", transport.rendezvousSent), ("unexpected", transport.unexpectedMessages),
            ("retransmitted", transport.retransmittedFrames), ("timeouts", transport.timeouts),
            ("reads-served", transport.readsServed), ("writes-served", transport.writesServed),
            ("accesses-refused", transport.accessesRefused), ("failed-peers", transport.failedPeers),
            ("foreign", adapter.foreignFrames &+ transport.foreignFrames),
            ("malformed", adapter.malformedFrames &+ transport.malformedFrames),
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
