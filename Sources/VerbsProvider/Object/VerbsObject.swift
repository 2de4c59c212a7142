/// An object that C holds by pointer: allocated once, at one address until it is destroyed. The first stored property of a
/// state that C sees is the C structure (`ibv_qp`, `ibv_cq`, …), so that a pointer to the object is a pointer to that.
///
/// Reading and changing ``state`` is a plain access to memory, without reference counting. Threads are kept apart by the
/// adapter's lock (``Adapter/lock``).
@safe struct VerbsObject<State: ~Copyable>: BitwiseCopyable, @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<State>

    init(_ state: consuming State) {
        // SAFETY: fresh memory is initialized once; `destroy` gives it back.
        unsafe pointer = .allocate(capacity: 1)
        // SAFETY: as above.
        unsafe pointer.initialize(to: state)
    }

    /// An object that C named. nil: NULL.
    /// - Parameter view: what an entry of this library returned for such an object, as the verbs interface wants it.
    @unsafe @inline(__always) init?(view: UnsafeMutableRawPointer?) {
        guard let view = unsafe view else { return nil }
        // SAFETY: the caller's duty; an object that is used after it was destroyed is the program's fault, as with every device.
        unsafe pointer = view.assumingMemoryBound(to: State.self)
    }

    @inline(__always) var state: State {
        // SAFETY: the memory is initialized from `init` to `destroy`. Two threads are kept apart by the adapter's lock.
        _read { yield unsafe pointer.pointee }
        // SAFETY: as above.
        nonmutating _modify { yield unsafe &pointer.pointee }
    }

    /// The C structure that the state begins with.
    func view<View>(as _: View.Type) -> UnsafeMutablePointer<View> {
        // SAFETY: the state begins with it.
        unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: View.self)
    }

    /// Ends the object and gives its memory back.
    func destroy() {
        // SAFETY: initialized by `init`; the caller is the call that destroys it, after which nobody uses the object.
        unsafe pointer.deinitialize(count: 1)
        // SAFETY: allocated by `init`.
        unsafe pointer.deallocate()
    }
}

extension VerbsObject: Equatable where State: ~Copyable {
    // SAFETY: addresses are compared, not what is there.
    static func == (left: Self, right: Self) -> Bool { unsafe left.pointer == right.pointer }
}
