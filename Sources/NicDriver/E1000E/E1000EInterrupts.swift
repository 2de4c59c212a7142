import DeviceAccess
import LinuxIO
import NicRegisters

/// The 82574L's MSI-X vectors: vector i belongs to receive queue i, which the device masks itself when it fires. No other
/// cause interrupts.
enum E1000EInterrupts {
    static func enable(_ queuePairs: [E1000EQueuePair], device: any DeviceAccess, registers: RegisterFile, options: PortOptions)
        throws(PortError)
    {
        do throws(DeviceError) {
            guard try device.interruptCount(.msix) >= queuePairs.count else {
                throw DeviceError.notUsable(
                    device: device.url, group: nil, reason: "the device offers too few MSI-X vectors for \(queuePairs.count) queues",
                    fix: "Run without --interrupts.")
            }
            try device.enableInterrupts(.msix, eventfds: queuePairs.map { $0.eventNumber ?? -1 })
        } catch { throw .device(error) }
        // EITR counts 256 ns (Linux e1000e 82574 itr: 1000000000 / (itr * 256)).
        let interval = min(options.interruptIntervalMicroseconds * 1000 / 256, 0xffff)
        var vectors = E1000E.InterruptVectors()
        var causes: E1000E.InterruptCause = []
        for index in queuePairs.indices {
            registers.write(E1000E.InterruptThrottle(bits: UInt32(interval)), to: E1000E.eitr[index])
            let entry = E1000E.InterruptVectors.entry(vector: UInt32(index))
            if index == 0 { vectors.receiveQueue0 = entry } else { vectors.receiveQueue1 = entry }
            causes.formUnion(.receiveQueue(index))
        }
        registers.modify(E1000E.ctrlExt) { control in
            control.insert([.extendedInterruptAutoMask, .pendingBitClear])
        }
        registers.write(vectors, to: E1000E.ivar)
        registers.write(causes, to: E1000E.eiac)
        registers.write(causes, to: E1000E.iam)
    }

    static func disable(device: any DeviceAccess, registers: RegisterFile) throws(DeviceError) {
        registers.write(E1000E.InterruptCause(bits: .max), to: E1000E.imc)
        try device.disableInterrupts(.msix)
    }
}
