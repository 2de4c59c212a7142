import Devices
import LinuxIO
import Logging

/// A relay's news as a log: -v for what happens, so many lines of a kind in a second; what keeps the guest waiting always.
final class RelayLog {
    private static let linesASecond = 10

    private let logger: Logger
    private var second: UInt64 = 0
    private var written: [String: Int] = [:]

    init(_ logger: Logger) { self.logger = logger }

    func write(_ news: RelayNews) {
        switch news {
        case .troubled(let text): if mayWrite("trouble") { StandardStream.error.write("unic: \(text)\n") }
        case .moved(let endpoint, let domain, let status):
            note("moved") {
                (
                    "an endpoint is attached",
                    ["endpoint": "\(hexadecimal(endpoint))", "domain": "\(domain.map(String.init) ?? "none")", "status": "\(status)"]
                )
            }
        case .refused(let refusal):
            note("refusal") { ("a request is refused", ["status": "\(refusal.status)", "reason": "\(refusal.reason)"]) }
        case .faulted(let fault):
            note("fault") {
                ("an access is refused", Dictionary(uniqueKeysWithValues: fault.members.map { ($0.0, "\($0.1.text)") }))
            }
        case .reset: note("reset") { ("the guest's driver reset the IOMMU", [:]) }
        }
    }

    private func note(_ kind: String, _ line: () -> (Logger.Message, Logger.Metadata)) {
        guard logger.logLevel <= .info, mayWrite(kind) else { return }
        let (message, metadata) = line()
        logger.info(message, metadata: metadata)
    }

    /// Says at the beginning of the next second how many there were beside those that were written.
    private func mayWrite(_ kind: String) -> Bool {
        let now = MonotonicClock.nanoseconds() / 1_000_000_000
        if now != second {
            for (kind, count) in written.sorted(by: { $0.key < $1.key }) where count > Self.linesASecond {
                logger.info("more of a kind than are written", metadata: ["kind": "\(kind)", "count": "\(count - Self.linesASecond)"])
            }
            (second, written) = (now, [:])
        }
        written[kind, default: 0] += 1
        return written[kind, default: 0] <= Self.linesASecond
    }

    private func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
