import NicRegisters

/// NVM: 64 words with a correct checksum, reached through EERD and EEWR.
struct E1000ENVMModel {
    private var words: [UInt16]

    /// - Parameter macAddress: 48 bits, first byte on top.
    init(macAddress: UInt64) {
        let nvm = E1000E.NVM.self
        words = Array(repeating: 0, count: nvm.wordCount)
        for index in 0..<3 {
            words[nvm.macAddress + index] = UInt16(truncatingIfNeeded: macAddress >> UInt64(32 - 16 * index)).byteSwapped
        }
        // As QEMU's e1000e_eeprom_template: copper, LEDs' defaults, subsystem of Intel.
        words[nvm.compatibility] = 0x0420
        words[nvm.ledSettings] = 0xf746
        words[nvm.initControl1] = 0x026b
        words[nvm.subsystemVendor] = E1000E.PCI.vendor
        words[nvm.device] = E1000E.PCI.device
        words[nvm.initControl2] = 0x8058
        words[nvm.checksum] = nvm.checksum(of: words)
    }

    /// EERD: the command with its word and done. A word that is not there never gets done (QEMU e1000e_set_eerd).
    func read(_ command: E1000E.NVMRead) -> E1000E.NVMRead {
        var result = E1000E.NVMRead()
        result.address = command.address
        guard command.contains(.start), words.indices.contains(Int(command.address)) else { return result }
        result.insert(.done)
        result.data = UInt32(words[Int(command.address)])
        return result
    }

    /// EEWR: as ``read(_:)``, storing.
    mutating func write(_ command: E1000E.NVMRead) -> E1000E.NVMRead {
        if command.contains(.start), words.indices.contains(Int(command.address)) {
            words[Int(command.address)] = UInt16(truncatingIfNeeded: command.data)
        }
        return read(command)
    }
}
