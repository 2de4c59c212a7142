import MPIBridge

extension EndpointAddress {
    /// For people (fi_av_straddr): `fi_unic://02:00:00:00:00:01/198.18.0.1:4791/0123456789abcdef`.
    var text: String {
        let bytes = stride(from: 24, through: 0, by: -8).map { String(UInt8(truncatingIfNeeded: ipv4 >> UInt32($0))) }
        let digits = String(key, radix: 16)
        let padding = String(repeating: "0", count: 16 - digits.count)
        return "fi_unic://\(mac)/\(bytes.joined(separator: ".")):\(udpPort)/\(padding)\(digits)"
    }
}
