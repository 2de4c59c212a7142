import CLinuxShims
import Glibc
public import SystemPackage

/// Tap interfaces of the kernel (Documentation/networking/tuntap.rst).
public enum TapInterface {
    /// The longest name of an interface, bytes (linux/if.h, IFNAMSIZ less its zero).
    public static let maximumNameByteCount = Int(UNIC_INTERFACE_NAME_SIZE) - 1
    /// Where taps are made.
    public static let devicePath = "/dev/net/tun"
    /// What reads and writes say once the interface is deleted.
    public static let deleted = Errno(rawValue: EBADFD)

    /// Makes the interface, or attaches to the one that has the name. Each write to the descriptor is a frame that the kernel
    /// receives, each read one that it sent, without headers and offloads, never waiting. An interface that this made goes
    /// with the descriptor.
    public static func open(name: String) throws(SystemCallError) -> OwnedDescriptor {
        let descriptor = try OwnedDescriptor.open(devicePath, flags: O_RDWR | O_NONBLOCK)
        let number = descriptor.number
        // SAFETY: the C string lives for the call, which copies it.
        try systemCall("ioctl(TUNSETIFF)", on: name) { unsafe unic_tap_attach(number, name) }
        return descriptor
    }
}

/// Whether a tap's interface is up, asked through a socket of the namespace that it is in.
public struct TapCarrier: ~Copyable, Sendable {
    private let socket: OwnedDescriptor

    public init() throws(SystemCallError) {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        socket = OwnedDescriptor(adopting: try systemCall("socket", on: "a tap's carrier") { Glibc.socket(AF_UNIX, type, 0) })
    }

    /// Up, and with its carrier on: RUNNING as netdevice(7) says. False once it is deleted.
    public borrowing func isOn(_ tap: borrowing OwnedDescriptor) -> Bool {
        let wanted = Int32(IFF_UP | IFF_RUNNING)
        return max(0, unic_tap_flags(tap.number, socket.number)) & wanted == wanted
    }
}
