import DeviceModel
import LinuxIO
import SystemPackage

/// Interrupt indexes are linux/vfio.h's: 0 INTx, 1 MSI, 2 MSI-X, 3 errors, 4 requests to give the device back.
extension VfioUserServer where Model: ~Copyable {
    private var errorIndex: UInt32 { 3 }
    private var requestIndex: UInt32 { 4 }

    private func vectorCount(of index: UInt32) -> UInt32? {
        if let kind = InterruptLines.Kind(rawValue: Int(index)) { return UInt32(clamping: environment.interrupts.count(kind)) }
        guard let notice = InterruptLines.Notice(rawValue: Int(index)) else { return nil }
        return environment.interrupts.carrier?.has(notice) ?? true ? 1 : 0
    }

    func irqInfo(_ request: IRQInfoMessage) throws(CommandFailure) -> IRQInfoMessage {
        guard let count = vectorCount(of: request.index) else {
            throw CommandFailure(.invalidArgument, "there is no interrupt index \(request.index)")
        }
        let isMaskable = request.index == 0 || request.index <= 2 && environment.interrupts.carrier == nil
        var flags: IRQInfoMessage.Flags = isMaskable ? [.eventfd, .maskable] : .eventfd
        if request.index == UInt32(InterruptLines.Kind.intx.rawValue) { flags.insert(.automasked) }
        return IRQInfoMessage(flags: flags, index: request.index, count: count)
    }

    func setIRQs(_ request: SetIRQsMessage, _ message: IncomingMessage) throws(CommandFailure) {
        guard let available = vectorCount(of: request.index) else {
            throw CommandFailure(.invalidArgument, "there is no interrupt index \(request.index)")
        }
        if request.action == .trigger, request.data == .none, request.count == 0 {
            disconnect(index: request.index, available: available)
            return try handOver(request)
        }
        let (end, overflow) = request.start.addingReportingOverflow(request.count)
        guard !overflow, end <= available else {
            throw CommandFailure(
                .invalidArgument, "vectors \(request.start)+\(request.count) of index \(request.index), which has \(available)")
        }
        switch request.data {
        case .none:
            for vector in request.start..<end { try act(request.action, index: request.index, vector: Int(vector)) }
        case .booleans(let chosen):
            for (vector, isChosen) in zip(request.start..<end, chosen) where isChosen {
                try act(request.action, index: request.index, vector: Int(vector))
            }
        case .eventfds(let descriptorCount):
            guard request.action == .trigger || InterruptLines.Kind(rawValue: Int(request.index)) != nil else {
                throw CommandFailure(.invalidArgument, "interrupt index \(request.index) cannot be masked")
            }
            try connect(request, request.start..<end, message, hasDescriptors: descriptorCount > 0)
            try handOver(request)
        }
    }

    /// Hardware signals its eventfds itself.
    private func handOver(_ request: SetIRQsMessage) throws(CommandFailure) {
        let interrupts = environment.interrupts
        guard let kind = InterruptLines.Kind(rawValue: Int(request.index)) else {
            guard handOverNotice(request.index) else { throw CommandFailure(.ioError, "the host's device refused an eventfd") }
            return
        }
        let isDone: Bool
        switch request.action {
        case .trigger: isDone = interrupts.handOver(kind)
        case .unmask: isDone = interrupts.handOverUnmasking()
        case .mask: isDone = interrupts.carrier == nil
        }
        guard isDone else { throw CommandFailure(.ioError, "the host's device refused eventfds of \(kind)") }
    }

    private func handOverNotice(_ index: UInt32) -> Bool {
        guard let carrier = environment.interrupts.carrier, let notice = InterruptLines.Notice(rawValue: Int(index)) else { return true }
        switch notice {
        case .error: return carrier.notify(of: notice, by: errorEvent?.number)
        case .request: return carrier.notify(of: notice, by: requestEvent?.number)
        }
    }

    /// The client is gone.
    func forgetNotices() {
        for index in [errorIndex, requestIndex] {
            set(index: index, vector: 0, event: nil)
            _ = handOverNotice(index)
        }
    }

    /// All descriptors are judged before any is used: a refused message changes nothing.
    private func connect(
        _ request: SetIRQsMessage, _ vectors: Range<UInt32>, _ message: IncomingMessage, hasDescriptors: Bool
    ) throws(CommandFailure) {
        var checked: [ReceivedEvent] = []
        if hasDescriptors {
            for position in 0..<vectors.count {
                guard let descriptor = message.takeDescriptor(position), let event = EventFD.adopt(verifying: descriptor) else {
                    throw CommandFailure(.invalidArgument, "descriptor \(position) is no eventfd")
                }
                checked.append(ReceivedEvent(event))
            }
        }
        for (position, vector) in vectors.enumerated() {
            let event = hasDescriptors ? checked[position].take() : nil
            if request.action == .trigger {
                set(index: request.index, vector: Int(vector), event: event)
            } else if let kind = InterruptLines.Kind(rawValue: Int(request.index)) {
                _ = environment.interrupts.set(kind, vector: Int(vector), masking: request.action == .mask, event: event)
            }
        }
    }

    private func disconnect(index: UInt32, available: UInt32) {
        for vector in 0..<Int(available) {
            set(index: index, vector: vector, event: nil)
            if let kind = InterruptLines.Kind(rawValue: Int(index)) { _ = environment.interrupts.setMasked(kind, vector: vector, false) }
        }
    }

    private func set(index: UInt32, vector: Int, event: consuming EventFD?) {
        if let kind = InterruptLines.Kind(rawValue: Int(index)) {
            _ = environment.interrupts.set(kind, vector: vector, event: event)
        } else if index == errorIndex {
            errorEvent = event
        } else {
            requestEvent = event
        }
    }

    private func act(_ action: SetIRQsMessage.Action, index: UInt32, vector: Int) throws(CommandFailure) {
        if let kind = InterruptLines.Kind(rawValue: Int(index)) {
            if let carrier = environment.interrupts.carrier, action != .trigger {
                guard kind == .intx, carrier.setINTxMasked(action == .mask) else {
                    throw CommandFailure(.invalidArgument, "the host's device cannot mask \(kind)")
                }
                return
            }
            switch action {
            case .mask: _ = environment.interrupts.setMasked(kind, vector: vector, true)
            case .unmask: _ = environment.interrupts.setMasked(kind, vector: vector, false)
            case .trigger: environment.interrupts.trigger(kind, vector: vector)
            }
            return
        }
        guard action == .trigger else { throw CommandFailure(.invalidArgument, "interrupt index \(index) cannot be masked") }
        if index == errorIndex { errorEvent?.signal() } else { requestEvent?.signal() }
    }
}

/// An eventfd in an array.
private final class ReceivedEvent {
    private var event: EventFD?
    init(_ event: consuming EventFD) { self.event = consume event }
    func take() -> EventFD? { event.take() }
}
