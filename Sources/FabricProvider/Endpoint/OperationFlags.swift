import CLibfabric
import MPIBridge

extension OperationOptions {
    /// Counted, but no entry in the completion queue if all goes well. One of the bits that a completion gives back.
    static let silent = OperationOptions(rawValue: 1 << 8)
    /// Complete when the peer's endpoint has it (``AwaitedAcknowledgements``). Given back, too.
    static let acknowledged = OperationOptions(rawValue: 1 << 9)
}

extension OpenEndpoint {
    /// Flags that a sender may give (fi_msg(3), fi_tagged(3), fi_rma(3)). FI_MORE is a hint. FI_FENCE is no capability here.
    static let sendFlags: UInt64 =
        FI_COMPLETION | FI_INJECT | FI_INJECT_COMPLETE | FI_TRANSMIT_COMPLETE | FI_DELIVERY_COMPLETE | FI_MATCH_COMPLETE
        | FI_REMOTE_CQ_DATA | FI_MORE
    static let receiveFlags: UInt64 = FI_COMPLETION | FI_MULTI_RECV | FI_PEEK | FI_CLAIM | FI_DISCARD | FI_MORE

    /// What flags of a transmit mean here. nil: one of them means nothing.
    @inline(__always) func transmitOptions(_ flags: UInt64) -> OperationOptions? {
        guard flags & ~Self.sendFlags == 0 else { return nil }
        var options = completionOptions(
            flags, queue: transmitQueue, isSelective: settings.isTransmitSelective, isCounted: counters.countsTransmits)
        if flags & FI_INJECT != 0 { options.insert(.inject) }
        if flags & FI_TRANSMIT_COMPLETE != 0 { options.insert(.acknowledged) }
        if flags & (FI_DELIVERY_COMPLETE | FI_MATCH_COMPLETE) != 0 { options.insert(.delivery) }
        if flags & FI_REMOTE_CQ_DATA != 0 { options.insert(.carriesData) }
        return options
    }

    @inline(__always) func receiveOptions(_ flags: UInt64) -> OperationOptions? {
        guard flags & ~Self.receiveFlags == 0 else { return nil }
        var options = completionOptions(
            flags, queue: receiveQueue, isSelective: settings.isReceiveSelective, isCounted: counters.countsReceives)
        if flags & FI_MULTI_RECV != 0 { options.insert(.multiReceive) }
        return options
    }

    /// Every operation completes, or with FI_SELECTIVE_COMPLETION those that ask for it (fi_endpoint(3), fi_ep_bind).
    @inline(__always) private func completionOptions(
        _ flags: UInt64, queue: FabricObject<CompletionQueue>?, isSelective: Bool, isCounted: Bool
    ) -> OperationOptions {
        if queue != nil, !isSelective || flags & FI_COMPLETION != 0 { return .completes }
        return isCounted ? [.completes, .silent] : []
    }

    /// Worked out once, when the endpoint is enabled.
    mutating func setDefaults() {
        let transmit = settings.transmitFlags & Self.sendFlags
        defaults.send = transmitOptions(transmit) ?? []
        defaults.access = defaults.send
        defaults.inject = [.inject]
        if counters.countsTransmits { defaults.inject.formUnion([.completes, .silent]) }
        defaults.accessInject = defaults.inject
        defaults.receive = receiveOptions(settings.receiveFlags & (FI_COMPLETION | FI_MULTI_RECV)) ?? []
    }
}
