import CLibfabric

/// What an object of libfabric is made of here. The first stored property is the C structure that libfabric knows
/// (`fid_ep`, `fid_cq`, …), which begins with its `fid`: a pointer to the object is a pointer to that.
protocol FabricState: ~Copyable {
    /// FI_CLASS_…, as its `fid` says (rdma/fabric.h).
    static var objectClass: Int { get }
}

/// An object that C holds by pointer: allocated once, at one address until it is closed.
///
/// Data path: reading and changing ``state`` is a plain access to memory, without reference counting.
@safe struct FabricObject<State: FabricState & ~Copyable>: BitwiseCopyable, @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<State>

    init(_ state: consuming State) {
        // SAFETY: fresh memory is initialized once; `destroy` gives it back.
        unsafe pointer = .allocate(capacity: 1)
        // SAFETY: as above.
        unsafe pointer.initialize(to: state)
    }

    /// An object that C named. nil: NULL, or an object of another class.
    @inline(__always) init?(fid: UnsafeMutableRawPointer?) {
        // SAFETY: libfabric passes what an open call returned, which begins with a `fid`; its class is looked at before more
        // of it is believed. An object used after its close is the application's fault, as with every provider.
        guard let fid = unsafe fid, unsafe fid.assumingMemoryBound(to: CLibfabric.fid.self).pointee.fclass == State.objectClass else {
            return nil
        }
        // SAFETY: objects of this class are made by `init(_:)` alone.
        unsafe pointer = fid.assumingMemoryBound(to: State.self)
    }

    @inline(__always) var state: State {
        // SAFETY: the memory is initialized from `init` to `destroy`. Two accesses at a time are kept apart by the
        // application or the domain's lock (``DomainLock``).
        _read { yield unsafe pointer.pointee }
        // SAFETY: as above.
        nonmutating _modify { yield unsafe &pointer.pointee }
    }

    /// The `fid` of libfabric's view.
    var fid: UnsafeMutablePointer<CLibfabric.fid> {
        // SAFETY: every state begins with it (``FabricState``).
        unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: CLibfabric.fid.self)
    }

    /// Libfabric's view, by the type that its open call returns.
    func view<View>(as _: View.Type) -> UnsafeMutablePointer<View> {
        // SAFETY: every state begins with its view (``FabricState``).
        unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: View.self)
    }

    /// Ends the object and gives its memory back.
    func destroy() {
        // SAFETY: initialized by `init`; the caller is the close operation, after which nobody uses the object.
        unsafe pointer.deinitialize(count: 1)
        // SAFETY: allocated by `init`.
        unsafe pointer.deallocate()
    }
}

extension FabricObject: Equatable where State: ~Copyable {
    // SAFETY: addresses are compared, not what is there.
    static func == (left: Self, right: Self) -> Bool { unsafe left.pointer == right.pointer }
}
