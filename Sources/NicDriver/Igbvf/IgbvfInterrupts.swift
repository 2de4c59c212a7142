import DeviceAccess
import LinuxIO
import NicRegisters

/// A virtual function's MSI-X vectors. The receive queue has one; transmit and mailbox stay silent.
enum IgbvfInterrupts {
    static func enable(_ pair: IgbvfQueuePair, device: any DeviceAccess, registers: RegisterFile, options: PortOptions) throws(PortError) {
        let vector = Igbvf.PCI.receiveVector
        do throws(DeviceError) {
            guard try device.interruptCount(.msix) > vector else {
                throw DeviceError.notUsable(
                    device: device.url, group: nil, reason: "the function offers too few MSI-X vectors", fix: "Run without --interrupts.")
            }
            var events = [Int32](repeating: -1, count: vector + 1)
            events[vector] = pair.eventNumber ?? -1
            try device.enableInterrupts(.msix, eventfds: events)
        } catch { throw .device(error) }
        let units = UInt32(min(options.interruptIntervalMicroseconds * 1000 / 256, 0x7fff))
        registers.write(Igbvf.InterruptThrottle(units: units), to: Igbvf.eitr[vector])
        var vectors = Igbvf.VectorAllocation()
        vectors.setReceive(queue: pair.index, vector: vector)
        registers.write(vectors, to: Igbvf.vtivar)
        registers.write(.vector(vector), to: Igbvf.eiac)
        registers.write(.vector(vector), to: Igbvf.eiam)
    }

    static func disable(device: any DeviceAccess, registers: RegisterFile) throws(DeviceError) {
        registers.write(.all, to: Igbvf.eimc)
        try device.disableInterrupts(.msix)
    }
}
