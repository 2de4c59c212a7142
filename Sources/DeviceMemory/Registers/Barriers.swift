public import CLinuxShims

/// Orders this CPU's accesses against a device's DMA. Between CPUs use `Synchronization`.
@frozen public enum DeviceBarrier {
    /// Descriptors and packets that were stored before are visible to the device before the doorbell stored after.
    /// x86-64: stores are ordered, no instruction. arm64: `dmb oshst`.
    @inlinable @inline(__always) public static func publishToDevice() { unic_publish_to_device() }

    /// What the device wrote before it handed a descriptor back is read by the loads after.
    /// x86-64: loads are ordered, no instruction. arm64: `dmb oshld`.
    @inlinable @inline(__always) public static func observeFromDevice() { unic_observe_from_device() }

    /// Stores before are visible before loads after: arm an interrupt, then look again. x86-64: `mfence`. arm64: `dmb osh`.
    @inlinable public static func full() { unic_full_device_barrier() }

    /// Pushes out write-combined stores. x86-64: `sfence`. arm64: `dsb oshst`.
    @inlinable public static func flushWriteCombining() { unic_flush_write_combining() }
}
