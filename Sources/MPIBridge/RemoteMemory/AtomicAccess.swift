/// What an atomic access does to each element: the target's, by the requester's operand and, in the last ones, comparand.
public enum AtomicOperation: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case minimum = 0, maximum, sum, product
    case logicalOr, logicalAnd, logicalXor
    case bitwiseOr, bitwiseAnd, bitwiseXor
    case read, write
    /// The operand is stored if the comparand is to the target's value as the name says.
    case swapIfEqual, swapIfNotEqual, swapIfLessOrEqual, swapIfLess, swapIfGreaterOrEqual, swapIfGreater
    /// The operand's bits are stored where the comparand has ones.
    case swapMasked

    public var compares: Bool { rawValue >= Self.swapIfEqual.rawValue }
    var needsBits: Bool { [.bitwiseOr, .bitwiseAnd, .bitwiseXor, .swapMasked].contains(self) }
}

/// What elements are. Little-endian on the wire.
public enum AtomicType: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case int8 = 0, uint8, int16, uint16, int32, uint32, int64, uint64, float, double

    public var byteCount: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float: 4
        case .int64, .uint64, .double: 8
        }
    }

    var isFloating: Bool { self == .float || self == .double }
}

/// An operation on a type, and whether the values from before are wanted.
public struct AtomicAccess: Equatable, BitwiseCopyable, Sendable {
    public let operation: AtomicOperation
    public let type: AtomicType
    public let returnsOld: Bool

    /// nil: there is no such thing. A comparison and a read without the old values are none, nor are bits of floating-point numbers.
    public init?(_ operation: AtomicOperation, _ type: AtomicType, returnsOld: Bool) {
        guard returnsOld || !(operation.compares || operation == .read), !(type.isFloating && operation.needsBits) else { return nil }
        self.operation = operation
        self.type = type
        self.returnsOld = returnsOld
    }

    /// How a frame says it: operation, type, and 1 for the old values, a byte each; the rest is zero.
    init?(word: UInt64) {
        guard word >> 17 == 0, let operation = AtomicOperation(rawValue: UInt8(truncatingIfNeeded: word)),
            let type = AtomicType(rawValue: UInt8(truncatingIfNeeded: word >> 8))
        else { return nil }
        self.init(operation, type, returnsOld: word >> 16 == 1)
    }

    var word: UInt64 { UInt64(operation.rawValue) | UInt64(type.rawValue) << 8 | (returnsOld ? 1 << 16 : 0) }

    /// Operands and comparands that come along with each element.
    public var operandCount: Int { operation == .read ? 0 : operation.compares ? 2 : 1 }

    /// What the region has to allow.
    var access: RegionAccess {
        var access: RegionAccess = []
        if returnsOld { access.insert(.remoteRead) }
        if operation != .read { access.insert(.remoteWrite) }
        return access
    }
}

/// An atomic access to a peer's registered memory. Each element is changed at once with regard to other atomic accesses that come by the
/// same endpoint.
public struct AtomicRequest: BitwiseCopyable, Sendable {
    public var access: AtomicAccess
    public var peer: PeerID
    /// Elements; at least one.
    public var count: Int
    /// Of so many elements each as the access says, else empty. They are the caller's again at once.
    public var operands: ApplicationMemory, comparands: ApplicationMemory
    /// For the old values, or empty.
    public var result: ApplicationMemory
    public var remoteOffset: UInt64
    public var remoteKey: UInt64
    public var context: UInt
    public var options: OperationOptions

    public init(
        _ access: AtomicAccess, peer: PeerID, count: Int, operands: ApplicationMemory = .none, comparands: ApplicationMemory = .none,
        result: ApplicationMemory = .none, remoteOffset: UInt64, remoteKey: UInt64, context: UInt = 0,
        options: OperationOptions = .completes
    ) {
        self.access = access
        self.peer = peer
        self.count = count
        self.operands = operands
        self.comparands = comparands
        self.result = result
        self.remoteOffset = remoteOffset
        self.remoteKey = remoteKey
        self.context = context
        self.options = options
    }

    /// Whether all lengths are what the access and the count say.
    var isConsistent: Bool {
        let byteCount = count &* access.type.byteCount
        return operands.byteCount == (access.operandCount > 0 ? byteCount : 0)
            && comparands.byteCount == (access.operandCount > 1 ? byteCount : 0) && result.byteCount == (access.returnsOld ? byteCount : 0)
    }
}
