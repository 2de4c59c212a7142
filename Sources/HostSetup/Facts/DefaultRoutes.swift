import LinuxIO

/// Which interfaces the rest of the world is reached through, in this network namespace.
enum DefaultRoutes {
    static func interfaces(_ paths: HostPaths) -> Set<String> {
        let four = (try? readSmallFile("\(paths.kernel.proc)/net/route")) ?? ""
        let six = (try? readSmallFile("\(paths.kernel.proc)/net/ipv6_route")) ?? ""
        return interfaces(inRoute: four).union(interfaces(inIPv6Route: six))
    }

    /// /proc/net/route: interface, destination, gateway, flags, three counters, mask; hexadecimal, with a heading.
    static func interfaces(inRoute text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").dropFirst().compactMap { line in
                let fields = line.split(whereSeparator: \.isWhitespace)
                guard fields.count > 7, UInt32(fields[1], radix: 16) == 0, UInt32(fields[7], radix: 16) == 0, isUsable(fields[3]) else {
                    return nil
                }
                return String(fields[0])
            })
    }

    /// /proc/net/ipv6_route: destination, its prefix, source, its prefix, next hop, three numbers, flags, interface.
    static func interfaces(inIPv6Route text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").compactMap { line in
                let fields = line.split(whereSeparator: \.isWhitespace)
                guard fields.count > 9, fields[0].allSatisfy({ $0 == "0" }), UInt32(fields[1], radix: 16) == 0, isUsable(fields[8]) else {
                    return nil
                }
                return String(fields[9])
            })
    }

    /// RTF_UP and not RTF_REJECT (linux/route.h).
    private static func isUsable(_ flags: some StringProtocol) -> Bool {
        guard let bits = UInt32(flags, radix: 16) else { return false }
        return bits & 0x0001 != 0 && bits & 0x0200 == 0
    }
}
