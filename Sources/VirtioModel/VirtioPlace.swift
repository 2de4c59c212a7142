/// Where things are: capabilities in config space, structures in BAR 0 (a page each), MSI-X in BAR 1.
public enum VirtioPlace {
    public static var bar: Int { 0 }
    static var byteCount: Int { 0x4000 }
    public static var common: Int { 0x0000 }
    public static var interruptStatus: Int { 0x1000 }
    public static var device: Int { 0x2000 }
    public static var notifications: Int { 0x3000 }
    static var msixBAR: Int { 1 }
    static var msixByteCount: Int { 0x1000 }
    static var msixPending: Int { 0x800 }
    /// Bytes from one queue's notification address to the next.
    static var notifyMultiplier: Int { 4 }

    static var msixCapability: Int { 0x40 }
    static var commonCapability: Int { 0x50 }
    static var notifyCapability: Int { 0x60 }
    static var interruptStatusCapability: Int { 0x74 }
    static var deviceCapability: Int { 0x84 }
    static var accessCapability: Int { 0x94 }
    static var powerCapability: Int { 0xa8 }
    static var pcieCapability: Int { 0xb0 }
}
