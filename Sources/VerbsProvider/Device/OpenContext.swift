import CVerbs

/// An open device (ibv_open_device(3)). The `ibv_context` that programs have is the last member of the structure.
@safe struct OpenContext: ~Copyable {
    var view: verbs_context
    let adapter: VerbsObject<Adapter>
    let asyncEvents: EventPipe
    /// Objects that are open.
    var children = 0

    /// Bytes in front of the `ibv_context`.
    // SAFETY: only the place of a member is asked for.
    static let offset = unsafe MemoryLayout<verbs_context>.offset(of: \verbs_context.context) ?? 0
}

extension VerbsObject where State == OpenContext {
    /// nil: NULL.
    @unsafe init?(context: UnsafeMutablePointer<ibv_context>?) {
        guard let context = unsafe context else { return nil }
        // SAFETY: every ibv_context of this library lies so far behind the start of its object.
        unsafe self.init(view: UnsafeMutableRawPointer(context) - OpenContext.offset)
    }

    var context: UnsafeMutablePointer<ibv_context> {
        // SAFETY: as above.
        unsafe (UnsafeMutableRawPointer(view(as: verbs_context.self)) + OpenContext.offset).assumingMemoryBound(to: ibv_context.self)
    }
}
