/// A table of C functions that lives as long as the process: libfabric's objects point to it.
@safe struct CFunctionTable<Table>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Table>

    init(_ table: Table) {
        // SAFETY: fresh memory, never given back, never changed after this.
        unsafe pointer = .allocate(capacity: 1)
        // SAFETY: as above.
        unsafe pointer.initialize(to: table)
    }
}
