public import DeviceModel
import NicRegisters
import VirtioModel

extension VirtioNetModel {
    /// The function as its host sees it: config space, BARs, vectors. A ``DeviceEnvironment`` is made from it.
    public static func functionDescription(_ options: VirtioNetOptions = VirtioNetOptions()) -> FunctionDescription {
        options.offer.functionDescription()
    }

    // MARK: What the driver writes

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        switch transport.configWritten(at: offset, byteCount: byteCount) {
        case .nothing: break
        case .functionReset: resetDevice()
        case .deviceReset(let access):
            resetDevice()
            if let access { write(access) }
        case .write(let access): write(access)
        }
        noteViolations()
    }

    private mutating func write(_ access: VirtioTransport.WindowAccess) {
        writeRegion(access.bar, at: access.offset, access.value, byteCount: access.byteCount)
    }

    public mutating func configWillBeRead(at offset: Int, byteCount: Int) {
        guard let window = transport.windowForRead(at: offset, byteCount: byteCount) else { return }
        transport.answer(window, readRegion(window.bar, at: window.offset, byteCount: window.byteCount))
    }

    // MARK: Trapped registers

    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard let place = transport.deviceOffset(bar, offset) else { return transport.readRegion(bar, at: offset, byteCount: byteCount) }
        guard [1, 2, 4, 8].contains(byteCount) else { return 0 }
        defer { transport.configGeneration = configuration.generation }
        return configuration.read(at: place, byteCount: byteCount)
    }

    /// The device configuration is read-only.
    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        switch transport.writeRegion(bar, at: offset, value, byteCount: byteCount) {
        case .reset: resetDevice()
        case .negotiated:
            keepNegotiatedQueues()
            updateFilter()
        case nil: break
        }
        noteViolations()
    }

    // MARK: Queues

    /// N of "Network Device / Virtqueues".
    private var negotiatedPairs: Int { transport.features.isDisjoint(with: [.multiqueue, .rss]) ? 1 : options.pairs }

    /// nil: there is none.
    var controlQueueIndex: Int? {
        transport.isNegotiated && transport.features.contains(.controlQueue) ? VirtioNet.controlQueue(pairs: negotiatedPairs) : nil
    }

    private mutating func keepNegotiatedQueues() {
        transport.existingQueues = QueueSet(count: 2 * negotiatedPairs)
        if let index = controlQueueIndex { transport.existingQueues.insert(index) }
    }
}
