/// Which version of the protocol this module speaks.
public enum ProtocolVersion {
    public static let major: UInt16 = 0
    /// What is here was all there in 0.0; QEMU proposes 0.0.
    public static let maximumMinor: UInt16 = 0
}
