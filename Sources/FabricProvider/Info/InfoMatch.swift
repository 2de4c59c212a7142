import CLibfabric

/// Why a type of endpoint is not what hints ask for.
enum InfoMismatch: Error, Equatable, CustomStringConvertible {
    case differs(String)
    /// Bits that are not there.
    case lacks(String, UInt64)
    case above(String, wanted: Int, limit: Int)

    var description: String {
        switch self {
        case .differs(let what): "another \(what) is asked for"
        case .lacks(let what, let bits): "\(what) 0x\(String(bits, radix: 16)) are asked for and not there"
        case .above(let what, let wanted, let limit): "\(what) of \(wanted) is asked for, the limit is \(limit)"
        }
    }
}

extension EndpointProfile {
    /// This profile as an application gets it that asked with these hints: what it chose is chosen, limits stay limits.
    ///
    /// Source: fi_getinfo(3), fi_endpoint(3), fi_domain(3); where they leave room, libfabric's own providers' habit.
    func matched(to hints: InfoHints, apiVersion: UInt32, fabric: String, device: String) throws(InfoMismatch) -> EndpointProfile {
        try Self.equal("fabric", hints.fabricName ?? fabric, fabric)
        try Self.subset("capabilities", hints.caps, of: caps)
        if hints.addressFormat != 0 { try Self.equal("address format", hints.addressFormat, addressFormat) }
        var profile = self
        profile.caps = CapabilityKind.granted(offered: caps, wanted: hints.caps)
        if let endpoint = hints.endpoint { try check(endpoint) }
        profile.transmit = try matched(to: hints.transmit ?? InfoHints.Transmit(), caps: profile.caps)
        profile.receive = try matched(to: hints.receive ?? InfoHints.Receive(), caps: profile.caps)
        profile.domain = try matched(to: hints.domain ?? InfoHints.Domain(), apiVersion: apiVersion, device: device)
        return profile
    }

    private func check(_ hints: InfoHints.Endpoint) throws(InfoMismatch) {
        if hints.type != FI_EP_UNSPEC { try Self.equal("endpoint type", hints.type, type) }
        if hints.protocol != 0 { try Self.equal("protocol", hints.protocol, `protocol`) }
        try Self.limit("protocol version", Int(hints.protocolVersion), Int(protocolVersion))
        try Self.limit("message size", hints.maxMessageSize, maxMessageSize)
        try Self.limit("number of transmit contexts", hints.transmitContexts, 1)
        try Self.limit("number of receive contexts", hints.receiveContexts, 1)
        try Self.limit("authentication key size", hints.authenticationKeySize, 0)
    }

    private func matched(to hints: InfoHints.Transmit, caps: UInt64) throws(InfoMismatch) -> Transmit {
        try Self.subset("transmit capabilities", hints.caps, of: transmit.caps)
        try Self.subset("transmit flags", hints.opFlags, of: transmit.opFlags)
        try Self.subset("transmit order", hints.msgOrder, of: transmit.msgOrder)
        try Self.subset("transmit completion order", hints.compOrder, of: 0)
        try Self.limit("inject size", hints.injectSize, transmit.injectSize)
        try Self.limit("transmit size", hints.size, transmit.size)
        try Self.limit("transmit vector", hints.iovLimit, transmit.iovLimit)
        try Self.limit("memory vector", hints.rmaIovLimit, transmit.rmaIovLimit)
        var result = transmit
        result.caps = CapabilityKind.granted(offered: transmit.caps & caps, wanted: hints.caps)
        result.opFlags = hints.opFlags
        return result
    }

    private func matched(to hints: InfoHints.Receive, caps: UInt64) throws(InfoMismatch) -> Receive {
        try Self.subset("receive capabilities", hints.caps, of: receive.caps)
        try Self.subset("receive flags", hints.opFlags, of: receive.opFlags)
        try Self.subset("receive order", hints.msgOrder, of: receive.msgOrder)
        try Self.subset("receive completion order", hints.compOrder, of: 0)
        try Self.limit("buffered receive size", hints.totalBufferedRecv, receive.totalBufferedRecv)
        try Self.limit("receive size", hints.size, receive.size)
        try Self.limit("receive vector", hints.iovLimit, receive.iovLimit)
        var result = receive
        result.caps = CapabilityKind.granted(offered: receive.caps & caps, wanted: hints.caps)
        result.opFlags = hints.opFlags
        return result
    }

    private func matched(to hints: InfoHints.Domain, apiVersion: UInt32, device: String) throws(InfoMismatch) -> Domain {
        try Self.equal("domain", hints.name ?? device, device)
        try Self.limit("size of completion data", hints.cqDataSize, domain.cqDataSize)
        try Self.limit("number of counters", hints.counterCount, domain.counterCount)
        try Self.limit("vector of a memory region", hints.mrIovLimit, domain.mrIovLimit)
        try Self.limit("size of error data", hints.maximumErrorData, 0)
        try Self.limit("number of memory regions", hints.mrCount, domain.mrCount)
        try Self.subset("domain capabilities", hints.caps, of: domain.caps)
        var result = domain
        if hints.threading != FI_THREAD_UNSPEC { result.threading = hints.threading }
        // By a thread, which only those get who ask for it.
        if hints.dataProgress != FI_PROGRESS_UNSPEC { result.dataProgress = hints.dataProgress }
        if hints.controlProgress != FI_PROGRESS_UNSPEC { result.controlProgress = hints.controlProgress }
        if hints.resourceManagement != FI_RM_UNSPEC { result.resourceManagement = hints.resourceManagement }
        if hints.avType != FI_AV_UNSPEC { result.avType = hints.avType }
        result.mrMode = try Self.registrationMode(hints.mrMode, apiVersion: apiVersion)
        return result
    }

    /// Regions are scalable: FI_MR_BASIC, which wants virtual addresses and keys of the provider, is another kind (fi_mr(3)).
    /// From API 1.5 on the mode is a set of duties that the application is ready for; none is needed here.
    private static func registrationMode(_ hint: Int32, apiVersion: UInt32) throws(InfoMismatch) -> Int32 {
        let basic = Int32(FI_MR_BASIC.rawValue), scalable = Int32(FI_MR_SCALABLE.rawValue)
        if hint & basic != 0 { throw .differs("memory registration mode") }
        return hint & scalable != 0 || apiVersion < unic_fi_version(1, 5) ? scalable : 0
    }

    private static func equal<Value: Equatable>(_ what: String, _ wanted: Value, _ offered: Value) throws(InfoMismatch) {
        if wanted != offered { throw .differs(what) }
    }

    private static func subset(_ what: String, _ wanted: UInt64, of offered: UInt64) throws(InfoMismatch) {
        if wanted & ~offered != 0 { throw .lacks(what, wanted & ~offered) }
    }

    private static func limit(_ what: String, _ wanted: Int, _ limit: Int) throws(InfoMismatch) {
        if wanted > limit { throw .above(what, wanted: wanted, limit: limit) }
    }
}
