public import DeviceMemory
public import NicRegisters

/// Buffers go back to the driver, and each side tells the other when it wants to hear of them.
extension Virtqueue {
    /// Gives a buffer back. Split: the driver sees it with ``publish()``.
    /// - Parameter written: bytes that the device wrote, from the start of the writable part.
    @inlinable @inline(__always) public mutating func use(_ buffer: AvailableBuffer, written: UInt32) {
        storeUsed(buffer, written: written, at: used)
        advanceUsed(by: buffer.slots)
    }

    @inlinable @inline(__always) func storeUsed(_ buffer: AvailableBuffer, written: UInt32, at cursor: RingCursor) {
        guard let parts else { return }
        if isPacked {
            let flags = Virtio.PackedRing.used(wrap: cursor.wrap).union(written > 0 ? .write : [])
            let descriptor = Virtio.PackedDescriptor(address: 0, byteCount: written, id: buffer.id, flags: flags)
            DeviceBarrier.publishToDevice()
            parts.descriptors.store64(descriptor.word1, at: Int(cursor.index) &* 16 &+ 8)
            return
        }
        let at = Virtio.SplitRing.usedEntries &+ 8 &* (Int(cursor.index) & (Int(size) &- 1))
        let element = Virtio.UsedElement(id: UInt32(buffer.id), byteCount: written)
        if parts.hasAlignedElements {
            parts.device.store64(element.word, at: at)
        } else {
            parts.device.store32(element.id, at: at)
            parts.device.store32(element.byteCount, at: at &+ 4)
        }
    }

    @inlinable @inline(__always) mutating func advanceUsed(by slots: UInt16) {
        if isPacked {
            used.advance(by: slots, size: size)
            unsignalled &+= slots
        } else {
            used.index &+= 1
            unsignalled &+= 1
        }
    }

    /// Several buffers of one frame: the driver sees all of them or none. "Multi-buffer requests": of a packed ring the
    /// first one is written last.
    @inlinable public mutating func use(together count: Int, _ buffer: (Int) -> (AvailableBuffer, written: UInt32)) {
        let start = used
        for number in 0..<count {
            let (one, written) = buffer(number)
            if number > 0 { storeUsed(one, written: written, at: used) }
            advanceUsed(by: one.slots)
        }
        let (first, written) = buffer(0)
        storeUsed(first, written: written, at: start)
    }

    /// Split: the driver sees what was used.
    @inlinable @inline(__always) public func publish() {
        guard let parts, !isPacked else { return }
        DeviceBarrier.publishToDevice()
        parts.device.store16(used.index, at: Virtio.SplitRing.usedIndex)
    }

    // MARK: Notifications

    /// After ``publish()``: whether the driver wants an interrupt for what was used since the last time.
    /// "Used Buffer Notification Suppression", "Driver and Device Event Suppression".
    @inlinable @inline(__always) public mutating func wantsInterrupt() -> Bool {
        guard let parts, unsignalled > 0 else { return false }
        // What was used is visible before the driver's wish is read: it may be about to sleep.
        ProcessorBarrier.full()
        let new = used.index
        let old = new &- unsignalled
        unsignalled = 0
        if isPacked {
            let event = Virtio.EventSuppression(word: parts.driver.load32(at: 0))
            guard usesEventIndex, event.isForDescriptor else { return !event.isDisabled }
            // Places of the round before count from below zero, as `old` may.
            let place = event.wrap == used.wrap ? event.offset : event.offset &- size
            return Virtio.isEventDue(place, old: old, new: new)
        }
        if usesEventIndex {
            return Virtio.isEventDue(parts.driver.load16(at: Virtio.SplitRing.usedEvent(size: Int(size))), old: old, new: new)
        }
        return parts.driver.load16(at: Virtio.SplitRing.availableFlags) & Virtio.SplitRing.noInterrupt == 0
    }

    /// Tells the driver whether to notify when it makes buffers available. Look again after switching it on.
    public func setNotifications(_ areWanted: Bool) {
        guard let parts else { return }
        if isPacked {
            parts.device.store32((areWanted ? Virtio.EventSuppression.enabled : .disabled).word, at: 0)
        } else if usesEventIndex {
            // Behind the driver's index nothing is due, but once in 65536 buffers.
            guard areWanted else { return }
            let index = parts.driver.load16(at: Virtio.SplitRing.availableIndex)
            parts.device.store16(index, at: Virtio.SplitRing.availableEvent(size: Int(size)))
        } else {
            parts.device.store16(areWanted ? 0 : Virtio.SplitRing.noNotify, at: Virtio.SplitRing.usedFlags)
        }
    }
}
