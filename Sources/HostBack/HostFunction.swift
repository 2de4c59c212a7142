public import DeviceAccess
import DeviceModel
public import LinuxIO

/// A PCI function that is given on to somebody else, as VFIO shows it: a ``KernelVFIODevice``, or one that another server has.
public protocol HostFunction: DeviceAccess {
    /// A descriptor of the file that a region's areas lie in.
    func duplicateFile(ofRegion region: Int) throws(DeviceError) -> OwnedDescriptor
    /// Where the region begins in that file.
    func fileOffset(ofRegion region: Int) throws(DeviceError) -> UInt64
    func maskINTx() throws(DeviceError)
    /// An eventfd whose signal unmasks INTx; nil: none.
    func unmaskINTx(by eventfd: Int32?) throws(DeviceError)
}

extension KernelVFIODevice: HostFunction {
    /// All regions lie in the device's own file.
    public func duplicateFile(ofRegion region: Int) throws(DeviceError) -> OwnedDescriptor { try duplicateFile() }
}

/// Gives a client's eventfds to the kernel, which signals them: the relay is not woken for an interrupt.
final class HostInterrupts: InterruptCarrier {
    private let function: any HostFunction
    /// Why the last refusal.
    private(set) var lastFailure: DeviceError?

    init(_ function: any HostFunction) { self.function = function }

    private func succeeds(_ body: () throws(DeviceError) -> Void) -> Bool {
        do throws(DeviceError) {
            try body()
            return true
        } catch {
            lastFailure = error
            return false
        }
    }

    func carry(_ kind: InterruptLines.Kind, eventfds: [Int32]) -> Bool {
        succeeds { () throws(DeviceError) in
            let kind: InterruptKind =
                switch kind {
                case .intx: .intx
                case .msi: .msi
                case .msix: .msix
                }
            if eventfds.isEmpty { try function.disableInterrupts(kind) } else { try function.enableInterrupts(kind, eventfds: eventfds) }
        }
    }

    func setINTxMasked(_ masked: Bool) -> Bool {
        succeeds { () throws(DeviceError) in if masked { try function.maskINTx() } else { try function.unmaskINTx() } }
    }

    func unmaskINTx(by eventfd: Int32?) -> Bool {
        succeeds { () throws(DeviceError) in try function.unmaskINTx(by: eventfd) }
    }

    func has(_ notice: InterruptLines.Notice) -> Bool { (try? function.interruptCount(kind(of: notice))) ?? 0 > 0 }

    func notify(of notice: InterruptLines.Notice, by eventfd: Int32?) -> Bool {
        guard has(notice) else { return eventfd == nil }
        return succeeds { () throws(DeviceError) in
            let kind = kind(of: notice)
            if let eventfd { try function.enableInterrupts(kind, eventfds: [eventfd]) } else { try function.disableInterrupts(kind) }
        }
    }

    private func kind(of notice: InterruptLines.Notice) -> InterruptKind {
        switch notice {
        case .error: .error
        case .request: .request
        }
    }
}
