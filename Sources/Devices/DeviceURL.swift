public import DeviceAccess
import NicModels

/// A device's name, the same in every tool: `soft:WIRE?nic=e1000e&mac=…`, `soft:WIRE?nic=virtio-net&queues=4`, `vfio-user:/path`, `vfio:0000:01:00.0?iommu=…`.
/// A `WIRE` is a name, `tap:INTERFACE` or `udp:LOCAL:PORT,PEER:PORT`; `loss=0.01` and the like give it faults (docs/wire.md).
///
/// `%r` stands for the local rank and `%j` for the job's id of an MPI launcher (``MPILaunch``).
public struct DeviceURL: Equatable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Sendable, CaseIterable {
        case soft
        case vfioUser = "vfio-user"
        case vfio

        /// How such a URL looks, for messages.
        var example: String {
            switch self {
            case .soft: "soft:WIRE"
            case .vfioUser: "vfio-user:/path/to/socket"
            case .vfio: "vfio:0000:01:00.0"
            }
        }

        /// The parameters that may follow `?`.
        var parameterNames: [String] {
            switch self {
            case .soft: ["nic", "mac", "msix"] + NamedModel.virtioNet.parameterNames + WireFaults.parameterNames
            case .vfioUser: []
            case .vfio: ["iommu"]
            }
        }
    }

    public let scheme: Scheme
    /// Wire, socket path or PCI address.
    public let location: String
    /// What follows `?`; each key once.
    public let parameters: [String: String]
    public let description: String

    /// Understands a URL. Errors: `.notFound`, which says what is wrong with which part, and what would be right.
    public init(_ text: String, launch: MPILaunch = .current) throws(DeviceError) {
        let text = try launch.substitute(in: text)
        description = text
        guard let colon = text.firstIndex(of: ":") else {
            throw Self.wrong(text, "there is no scheme in front of a colon", Self.knownSchemes)
        }
        guard let scheme = Scheme(rawValue: String(text[..<colon])) else {
            throw Self.wrong(text, "the scheme '\(text[..<colon])' is not known", Self.knownSchemes)
        }
        self.scheme = scheme
        let rest = text[text.index(after: colon)...]
        let mark = rest.firstIndex(of: "?")
        location = String(rest[..<(mark ?? rest.endIndex)])
        parameters = try Self.parameters(of: text, scheme: scheme, text: mark.map { rest[rest.index(after: $0)...] })
        try Self.judge(location, scheme: scheme, url: text)
        try Self.judge(parameters, scheme: scheme, url: text)
    }

    private static var knownSchemes: String {
        "Known are: " + Scheme.allCases.map(\.example).joined(separator: ", ") + "."
    }

    private static func wrong(_ url: String, _ reason: String, _ fix: String) -> DeviceError {
        .notFound(device: url.isEmpty ? "an empty device URL" : url, reason: reason, fix: fix)
    }

    private static func parameters(of url: String, scheme: Scheme, text: Substring?) throws(DeviceError) -> [String: String] {
        guard let text else { return [:] }
        let known = scheme.parameterNames
        let fix = known.isEmpty ? "\(scheme.rawValue): URLs take no parameters." : "Known are: \(known.joined(separator: ", "))."
        var parameters: [String: String] = [:]
        for part in text.split(separator: "&", omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: "="), equals != part.startIndex, part.index(after: equals) != part.endIndex else {
                throw wrong(url, "the parameter '\(part)' is not of the form key=value", fix)
            }
            let key = String(part[..<equals])
            guard known.contains(key) else { throw wrong(url, "the parameter '\(key)' is not known to \(scheme.rawValue):", fix) }
            guard parameters[key] == nil else { throw wrong(url, "the parameter '\(key)' stands there twice", "Leave one out.") }
            parameters[key] = String(part[part.index(after: equals)...])
        }
        return parameters
    }
}

extension DeviceURL {
    /// Longest path of a Unix socket, bytes (unix(7): sun_path has 108 with its NUL).
    static let longestSocketPath = 107

    private static func judge(_ location: String, scheme: Scheme, url: String) throws(DeviceError) {
        switch scheme {
        case .soft:
            do { _ = try WireAddress(location) } catch { throw wrong(url, error.reason, error.fix) }
        case .vfioUser:
            guard location.hasPrefix("/") else {
                throw wrong(
                    url, "'\(location)' is no absolute path of a socket",
                    "Give the socket of `unic serve`, for example vfio-user:/run/nic.sock.")
            }
            guard location.utf8.count <= longestSocketPath, !location.utf8.contains(0) else {
                throw wrong(
                    url, "the path is longer than the \(longestSocketPath) bytes of a Unix socket's name", "Use a shorter directory.")
            }
        case .vfio:
            guard PCIAddress(location) != nil else {
                throw wrong(
                    url, "'\(location)' is no PCI address",
                    "Give domain, bus, device and function as `lspci -D` prints them, for example vfio:0000:01:00.0.")
            }
        }
    }

    private static func judge(_ parameters: [String: String], scheme: Scheme, url: String) throws(DeviceError) {
        if scheme == .soft, let what = judgeModel(parameters) ?? WireFaults.judge(parameters) { throw wrong(url, what.reason, what.fix) }
        if let text = parameters["mac"] {
            guard stationAddress(text) != nil else {
                throw wrong(
                    url, "'\(text)' is no unicast MAC address", "Give six bytes, the first one even, for example mac=02:00:00:00:00:01.")
            }
        }
        if let iommu = parameters["iommu"], IOMMUBackend(rawValue: iommu) == nil {
            throw wrong(
                url, "there is no IOMMU interface '\(iommu)'",
                "Known are: \(IOMMUBackend.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
    }
}
