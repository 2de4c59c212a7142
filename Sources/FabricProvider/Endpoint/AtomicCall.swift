import CLibfabric
import LinuxIO
import MPIBridge

/// An atomic access as an application names it (fi_atomic(3)).
struct AtomicCall: Equatable {
    enum Form { case update, fetch, compare }

    let access: AtomicAccess

    /// nil: not offered, or not with this kind of call.
    init?(_ form: Form, _ operation: fi_op, _ type: fi_datatype) {
        guard let operation = Self.operations[operation.rawValue], let type = Self.types[type.rawValue],
            operation.compares == (form == .compare),
            let access = AtomicAccess(operation, type, returnsOld: form != .update)
        else { return nil }
        self.access = access
    }

    private static let operations: [UInt32: AtomicOperation] = [
        FI_MIN.rawValue: .minimum, FI_MAX.rawValue: .maximum, FI_SUM.rawValue: .sum, FI_PROD.rawValue: .product,
        FI_LOR.rawValue: .logicalOr, FI_LAND.rawValue: .logicalAnd, FI_LXOR.rawValue: .logicalXor,
        FI_BOR.rawValue: .bitwiseOr, FI_BAND.rawValue: .bitwiseAnd, FI_BXOR.rawValue: .bitwiseXor,
        FI_ATOMIC_READ.rawValue: .read, FI_ATOMIC_WRITE.rawValue: .write,
        FI_CSWAP.rawValue: .swapIfEqual, FI_CSWAP_NE.rawValue: .swapIfNotEqual, FI_CSWAP_LE.rawValue: .swapIfLessOrEqual,
        FI_CSWAP_LT.rawValue: .swapIfLess, FI_CSWAP_GE.rawValue: .swapIfGreaterOrEqual, FI_CSWAP_GT.rawValue: .swapIfGreater,
        FI_MSWAP.rawValue: .swapMasked,
    ]

    private static let types: [UInt32: AtomicType] = [
        FI_INT8.rawValue: .int8, FI_UINT8.rawValue: .uint8, FI_INT16.rawValue: .int16, FI_UINT16.rawValue: .uint16,
        FI_INT32.rawValue: .int32, FI_UINT32.rawValue: .uint32, FI_INT64.rawValue: .int64, FI_UINT64.rawValue: .uint64,
        FI_FLOAT.rawValue: .float, FI_DOUBLE.rawValue: .double,
    ]

    /// Elements that one call may have, if operands and comparands have so many bytes together.
    func elementLimit(byteCount: Int) -> Int { byteCount / (access.type.byteCount * max(1, access.operandCount)) }

    /// Pieces of elements. nil: more than ``ApplicationMemory/maximumPieceCount``, or a length that no memory has.
    @unsafe func memory(pieces: UnsafePointer<fi_ioc>?, count: Int) -> ApplicationMemory? {
        guard count > 0 else { return ApplicationMemory.none }
        // SAFETY: `count` pieces (fi_atomic(3)), read once.
        guard let pieces = unsafe pieces, count <= ApplicationMemory.maximumPieceCount else { return nil }
        return unsafe ApplicationMemory(count: count) { index in
            // SAFETY: as above; a length that overflows is one that no memory has.
            let (byteCount, overflow) = unsafe Int(clamping: pieces[index].count).multipliedReportingOverflow(by: access.type.byteCount)
            return unsafe MemoryPiece(address: UInt(bitPattern: pieces[index].addr), byteCount: overflow ? -1 : byteCount)
        }
    }

    @unsafe func memory(_ address: UnsafeRawPointer?, count: Int) -> ApplicationMemory? {
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: access.type.byteCount)
        return overflow ? nil : unsafe ApplicationMemory(address, byteCount)
    }
}

extension FabricObject where State == OpenEndpoint {
    /// Memory that the access has no use for is not looked at (fi_atomic(3), FI_ATOMIC_READ).
    func access(
        _ call: AtomicCall, operands: ApplicationMemory?, comparands: ApplicationMemory? = ApplicationMemory.none,
        result: ApplicationMemory? = ApplicationMemory.none, of number: UInt64, offset: UInt64, key: UInt64, context: UInt = 0,
        options: OperationOptions
    ) -> Int {
        let operands = call.access.operandCount > 0 ? operands : ApplicationMemory.none
        guard let operands, let comparands, let result else { return Int(FabricError.invalid) }
        let byteCount = max(operands.byteCount, result.byteCount), size = call.access.type.byteCount
        let wanted = (
            call.access.operandCount > 0 ? byteCount : 0, call.access.operandCount > 1 ? byteCount : 0,
            call.access.returnsOld ? byteCount : 0
        )
        guard byteCount > 0, (operands.byteCount, comparands.byteCount, result.byteCount) == wanted else { return Int(FabricError.invalid) }
        return state.lock.around {
            guard let peer = state.peers[number] else { return Int(FabricError.invalid) }
            let now = MonotonicClock.nanoseconds()
            let request = AtomicRequest(
                call.access, peer: peer, count: byteCount / size, operands: operands, comparands: comparands, result: result,
                remoteOffset: offset, remoteKey: key, context: context, options: options)
            return outcome(state.transport?.access(request, now: now), now: now)
        }
    }
}
