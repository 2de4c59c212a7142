import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// The receive queue's MSI-X vector: armed before sleeping, masked by the device itself when it fires.
final class ReceiveInterrupt {
    private let event: EventFD
    private let device: any DeviceAccess
    private let registers: RegisterFile

    /// Vector 0 for the receive queue; no other cause interrupts.
    init(device: any DeviceAccess, registers: RegisterFile, options: PortOptions) throws(PortError) {
        self.device = device
        self.registers = registers
        do {
            event = try EventFD()
        } catch {
            throw .device(.systemCall(device: device.url, group: nil, cause: error, fix: "Raise the limit of open files (ulimit -n)."))
        }
        do throws(DeviceError) {
            guard try device.interruptCount(.msix) > 0 else {
                throw DeviceError.notUsable(
                    device: device.url, group: nil, reason: "the device offers no MSI-X vectors", fix: "Run without --interrupts.")
            }
            try device.enableInterrupts(.msix, eventfds: [event.number])
        } catch { throw .device(error) }
        // EITR counts 256 ns (Linux e1000e 82574 itr: 1000000000 / (itr * 256)).
        let interval = min(options.interruptIntervalMicroseconds * 1000 / 256, 0xffff)
        registers.write(E1000E.InterruptThrottle(bits: UInt32(interval)), to: E1000E.eitr[0])
        registers.modify(E1000E.ctrlExt) { control in
            control.insert([.extendedInterruptAutoMask, .pendingBitClear])
        }
        var vectors = E1000E.InterruptVectors()
        vectors.receiveQueue0 = E1000E.InterruptVectors.entry(vector: 0)
        registers.write(vectors, to: E1000E.ivar)
        registers.write(.receiveQueue0, to: E1000E.eiac)
        registers.write(.receiveQueue0, to: E1000E.iam)
    }

    deinit {
        registers.write(E1000E.InterruptCause(bits: .max), to: E1000E.imc)
        try? device.disableInterrupts(.msix)
    }

    /// Arms, looks once more, sleeps. Returns whether there is something to receive, or may be.
    func sleep(progress: (any DeviceProgress)?, timeoutMilliseconds: Int32, hasReceived: () -> Bool) -> Bool {
        event.drain()
        registers.write(.receiveQueue0, to: E1000E.ims)
        let wake = progress?.armWake()
        defer { progress?.disarmWake() }
        DeviceBarrier.full()
        if let progress { _ = progress.step() }
        if hasReceived() { return true }
        var sources = [event.number]
        if let wake { sources.append(wake) }
        let ready = waitForReadable(sources, timeoutMilliseconds: timeoutMilliseconds)
        if let progress { _ = progress.step() }
        return !ready.isEmpty && hasReceived()
    }
}
