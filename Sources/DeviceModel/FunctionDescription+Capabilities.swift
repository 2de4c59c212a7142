extension FunctionDescription {
    /// The same function without MSI-X: drivers take MSI or INTx.
    public var withoutMSIX: FunctionDescription {
        var copy = self
        copy.msixVectorCount = 0
        copy.removeCapability(0x11, byteCount: 12)
        return copy
    }

    /// Takes a capability out of the list (PCI Local Bus 3.0 §6.7: pointer at 0x34, then id and next; MSI-X is 0x11, §6.8.2).
    private mutating func removeCapability(_ id: UInt8, byteCount: Int) {
        var link = 0x34
        // The list has room for 48 capabilities of 4 bytes.
        for _ in 0..<48 {
            let at = Int(config[link]) & ~3
            guard at >= 0x40, at + byteCount <= 256 else { return }
            guard config[at] == id else {
                link = at + 1
                continue
            }
            config[link] = config[at + 1]
            for offset in at..<(at + byteCount) {
                config[offset] = 0
                writableConfigBits[offset] = 0
            }
            return
        }
    }
}
