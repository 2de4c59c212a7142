/// The devices of a machine as `UNIC_DEVICES` and `--device` name them, one for each rank: URLs with spaces or semicolons between
/// (a `udp:` wire has commas, and an unquoted `$(unic mpirun-args)` is cut at spaces). One NIC function a process.
public struct DeviceList: Equatable, Sendable {
    /// The environment's variable that carries one to the libfabric provider and to the verbs.
    public static let variable = "UNIC_DEVICES"

    public let urls: [String]

    public enum Failure: Error, Equatable, CustomStringConvertible {
        case empty
        case device(String)
        case tooFew(count: Int, localRank: Int)
        case strangeRank(String)

        public var description: String {
            switch self {
            case .strangeRank(let text): "The launcher's local rank '\(text)' is no number."
            case .empty: "The list of devices is empty. Give URLs, separated by spaces, or unset \(DeviceList.variable)."
            case .device(let text): text
            case .tooFew(let count, let rank):
                "There \(count == 1 ? "is 1 device" : "are \(count) devices"), and the process with local rank \(rank) needs number \(rank + 1). Name one device for each process of a machine, start fewer processes, or write one URL with %r in it."
            }
        }
    }

    /// Errors: no URL, or one that is not understood.
    public init(urls: [String]) throws(Failure) {
        guard !urls.isEmpty else { throw .empty }
        // Whatever a launcher will say, the rest of the URL is judged now.
        let anyLaunch = MPILaunch(localRank: "0", job: "0")
        for url in urls {
            do { _ = try DeviceURL(url, launch: anyLaunch) } catch { throw .device(error.description) }
        }
        self.urls = urls
    }

    public init(text: String) throws(Failure) { try self.init(urls: text.split { $0.isWhitespace || $0 == ";" }.map(String.init)) }

    /// As the variable carries it.
    public var text: String { urls.joined(separator: ";") }

    /// What the process with this rank on its machine uses, counted from 0: the n-th device; one `soft:` device, or one with `%r`
    /// in it, serves all.
    public func url(ofLocalRank rank: Int) throws(Failure) -> String {
        if urls.count == 1, urls[0].hasPrefix("soft:") || urls[0].contains("%r") { return urls[0] }
        guard urls.indices.contains(rank) else { throw .tooFew(count: urls.count, localRank: rank) }
        return urls[rank]
    }

    /// The device of a process, with `%r` and `%j` replaced. One without a launcher takes the first.
    /// - Parameters:
    ///   - text: the variable's value; nil: it is not set.
    ///   - fallback: the device then.
    public static func url(of launch: MPILaunch, text: String?, otherwise fallback: String) throws(Failure) -> String {
        var chosen = fallback
        if let text {
            let list = try DeviceList(text: text)
            let rank = launch.localRank ?? "0"
            guard let number = Int(rank), number >= 0 else { throw .strangeRank(rank) }
            chosen = try list.url(ofLocalRank: number)
        }
        do { return try DeviceURL(chosen, launch: launch).description } catch { throw .device(error.description) }
    }
}
