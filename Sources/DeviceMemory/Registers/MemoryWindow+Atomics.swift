public import CLinuxShims

/// Words that other CPUs read and write in place. A word has one writer, so that nothing here is a read-modify-write.
/// Words are aligned to their size: an offset that is not is our own bug and traps.
extension MemoryWindow {
    /// Loads after it see what the writer stored before its release.
    @inlinable @inline(__always) public func loadAcquire32(at offset: Int) -> UInt32 {
        checkWord(offset, 4)
        // SAFETY: checked to lie inside, aligned; the maker of the window keeps the memory alive.
        return unsafe UInt32(littleEndian: unic_load_acquire32(base + offset))
    }

    /// Loads after it see what the writer stored before its release.
    @inlinable @inline(__always) public func loadAcquire64(at offset: Int) -> UInt64 {
        checkWord(offset, 8)
        // SAFETY: as loadAcquire32.
        return unsafe UInt64(littleEndian: unic_load_acquire64(base + offset))
    }

    /// Stores before it are visible to whoever loads this value with acquire.
    @inlinable @inline(__always) public func storeRelease32(_ value: UInt32, at offset: Int) {
        checkWord(offset, 4)
        // SAFETY: as loadAcquire32.
        unsafe unic_store_release32(base + offset, value.littleEndian)
    }

    /// Stores before it are visible to whoever loads this value with acquire.
    @inlinable @inline(__always) public func storeRelease64(_ value: UInt64, at offset: Int) {
        checkWord(offset, 8)
        // SAFETY: as loadAcquire32.
        unsafe unic_store_release64(base + offset, value.littleEndian)
    }

    @inlinable @inline(__always) func checkWord(_ offset: Int, _ count: Int) {
        check(offset, count)
        precondition(offset & (count &- 1) == 0, "a shared word that is not aligned")
    }
}

/// Orders this CPU against other CPUs. Against devices see ``DeviceBarrier``.
@frozen public enum ProcessorBarrier {
    /// Stores before are visible to other CPUs before loads after: arm, then look again; publish, then see who is armed.
    @inlinable @inline(__always) public static func full() { unic_full_cpu_barrier() }
}
