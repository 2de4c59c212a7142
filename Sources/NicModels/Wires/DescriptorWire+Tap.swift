import LinuxIO
import SystemPackage

extension DescriptorWire {
    /// A tap interface of this machine's kernel, made if none has the name. Its carrier is the interface's: up, with its
    /// carrier on. A frame that the model sends is one that the interface receives.
    /// - Parameter name: 1 to 15 bytes.
    public convenience init(tap name: String) throws(WireError) {
        do throws(SystemCallError) {
            try self.init(try TapInterface.open(name: name), tapCarrier: try TapCarrier())
        } catch { throw .tap(interface: name, cause: error) }
    }
}

/// What to do about a tap that cannot be had.
enum TapAdvice {
    static func text(_ name: String, _ cause: SystemCallError) -> String {
        let isOpening = cause.subject == TapInterface.devicePath
        switch cause.errno {
        case .noSuchFileOrDirectory, .noSuchAddressOrDevice, .operationNotSupportedByDevice:
            return "As root: modprobe tun; in a container: mkdir -p /dev/net && mknod -m 666 /dev/net/tun c 10 200."
        case .permissionDenied where isOpening, .notPermitted where isOpening: return "As root: chmod 666 \(TapInterface.devicePath)."
        case .notPermitted:
            return
                "Only root makes interfaces. As root, once, for this user: ip tuntap add dev \(name) mode tap user \(effectiveUser) && ip link set \(name) up."
        case .resourceBusy: return "Another program is attached to \(name): end it, or use another name."
        case .invalidArgument:
            return
                "\(name) is no tap interface with one queue. Use another name, or as root: ip link delete \(name) && ip tuntap add dev \(name) mode tap user \(effectiveUser)."
        case .fileNameTooLong: return "An interface's name has at most \(TapInterface.maximumNameByteCount) bytes."
        default: return "See what is there with: ip -details link show \(name)."
        }
    }
}
