public import DeviceAccess
public import LinuxIO

/// A function whose DMA can be ended: ``OpenedDevice``.
public protocol QuietableDevice: AnyObject {
    var name: String { get }
    func endBusMastering() throws(SystemCallError)
    func reset() throws(SystemCallError)
}

/// One address space: ``OpenedContainer``.
public protocol QuietableContainer: AnyObject {
    var name: String { get }
    /// - Returns: how many bytes were mapped.
    func unmapAll() throws(SystemCallError) -> UInt64
}

/// Address spaces with numbers: ``OpenedIOMMUFD``.
public protocol QuietableContext: AnyObject {
    /// ENOENT: there is no such one, or nothing is mapped in it.
    func unmapAll(space id: UInt32) throws(SystemCallError) -> UInt64
}

extension OpenedDevice: QuietableDevice {}
extension OpenedContainer: QuietableContainer {}
extension OpenedIOMMUFD: QuietableContext {}

/// Makes something of descriptors that came.
public protocol GuardedHost {
    func device(_ file: consuming OwnedDescriptor, configOffset: UInt64, name: String) -> any QuietableDevice
    func container(_ file: consuming OwnedDescriptor, name: String) -> any QuietableContainer
    func context(_ file: consuming OwnedDescriptor) -> any QuietableContext
}

/// The kernel's VFIO.
public struct KernelGuardedHost: GuardedHost {
    public init() {}
    public func device(_ file: consuming OwnedDescriptor, configOffset: UInt64, name: String) -> any QuietableDevice {
        OpenedDevice(adopting: file, configOffset: configOffset, name: name)
    }
    public func container(_ file: consuming OwnedDescriptor, name: String) -> any QuietableContainer {
        OpenedContainer(adopting: file, name: name)
    }
    public func context(_ file: consuming OwnedDescriptor) -> any QuietableContext { OpenedIOMMUFD(adopting: file) }
}
