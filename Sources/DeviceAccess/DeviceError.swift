public import DeviceMemory
public import LinuxIO

/// What went wrong between a driver and its device. Each message says what to do next.
public enum DeviceError: Error, CustomStringConvertible {
    /// The URL or its device does not exist or cannot be understood.
    case notFound(device: String, reason: String, fix: String)
    /// The device is there and cannot be used as it is set up now.
    case notUsable(device: String, group: String?, reason: String, fix: String)
    /// A system call on the device's behalf failed.
    case systemCall(device: String, group: String?, cause: SystemCallError, fix: String)
    /// None of VFIO's interfaces serves the device; the refusal that is nearest to working comes first.
    case noBackend(device: String, refusals: [BackendRefusal])
    /// Memory could not be mapped for DMA.
    case mapDMA(device: String, range: IOVARange, reason: String, fix: String)
    /// An unmap that names no mapping, or was refused.
    case unmapDMA(device: String, range: IOVARange, reason: String)
    /// An access outside of a region, or to a region that is not there.
    case badAccess(device: String, region: Int, offset: UInt64, byteCount: Int, reason: String)
    /// The other side of a socket sent what the protocol does not allow.
    case protocolViolation(device: String, reason: String)
    /// The device or its server is gone: surprise removal, a hang-up, all-ones.
    case gone(device: String, reason: String)
    /// A bounded wait is over.
    case timedOut(device: String, waitingFor: String, milliseconds: UInt64)

    public var description: String {
        switch self {
        case .notFound(let device, let reason, let fix): "\(device): \(reason). \(fix)"
        case .notUsable(let device, let group, let reason, let fix): "\(device)\(inGroup(group)): \(reason). \(fix)"
        case .systemCall(let device, let group, let cause, let fix): "\(device)\(inGroup(group)): \(cause) \(fix)"
        case .noBackend(let device, let refusals): DeviceError.noBackendText(device, refusals)
        case .mapDMA(let device, let range, let reason, let fix):
            "\(device): mapping \(range.byteCount) bytes at IOVA \(range.start) failed: \(reason). \(fix)"
        case .unmapDMA(let device, let range, let reason):
            "\(device): unmapping \(range.byteCount) bytes at IOVA \(range.start) failed: \(reason)."
        case .badAccess(let device, let region, let offset, let byteCount, let reason):
            "\(device): access of \(byteCount) bytes at 0x\(String(offset, radix: 16)) of region \(region) failed: \(reason)."
        case .protocolViolation(let device, let reason): "\(device): the other side broke the protocol: \(reason)."
        case .gone(let device, let reason): "\(device): the device is gone: \(reason)."
        case .timedOut(let device, let what, let milliseconds): "\(device): no \(what) within \(milliseconds) ms."
        }
    }

    private func inGroup(_ group: String?) -> String { group.map { " (IOMMU group \($0))" } ?? "" }

    private static func noBackendText(_ device: String, _ refusals: [BackendRefusal]) -> String {
        guard let first = refusals.first else { return "\(device): no interface of VFIO was tried." }
        let others = refusals.dropFirst().map { " Nor by \($0.backend): \($0.error)" }.joined()
        return "\(first.error) (VFIO by \(first.backend).)\(others)"
    }
}
