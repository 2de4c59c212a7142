/// Which version of the protocol this module speaks.
public enum ProtocolVersion {
    public static let major: UInt16 = 0
    /// Capabilities say what a side can do, minor versions add nothing to parse: QEMU proposes 0.0, rust-vmm's server
    /// answers 0.1, libvfio-user's 0.2. A server answers the lower one of both sides'.
    public static let maximumMinor: UInt16 = 2
}
