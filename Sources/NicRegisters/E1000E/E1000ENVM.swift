/// Words of the 82574L's NVM. A word has 16 bits; all words from 0 to 0x3f add up to 0xbaba.
///
/// Words: Linux drivers/net/ethernet/intel/e1000e/defines.h (NVM_*); ids and the image: QEMU hw/net/e1000e.c
/// (e1000e_eeprom_template).
extension E1000E {
    public enum NVM {
        /// Words that the checksum covers, its own included.
        @inlinable public static var wordCount: Int { 64 }
        /// Words 0 to 2: the MAC address, byte 0 in the low half of word 0.
        @inlinable public static var macAddress: Int { 0x00 }
        /// NVM_COMPAT.
        @inlinable public static var compatibility: Int { 0x03 }
        /// NVM_ID_LED_SETTINGS.
        @inlinable public static var ledSettings: Int { 0x04 }
        /// NVM_PBA_OFFSET_0: printed board assembly number, two words.
        @inlinable public static var boardAssembly: Int { 0x08 }
        /// Initialization control word 1. EEPROM_INIT_CONTROL1_REG.
        @inlinable public static var initControl1: Int { 0x0a }
        /// Subsystem id.
        @inlinable public static var subsystem: Int { 0x0b }
        /// Subsystem vendor id.
        @inlinable public static var subsystemVendor: Int { 0x0c }
        /// Device id.
        @inlinable public static var device: Int { 0x0d }
        /// NVM_INIT_CONTROL2_REG.
        @inlinable public static var initControl2: Int { 0x0f }
        /// NVM_CHECKSUM_REG.
        @inlinable public static var checksum: Int { 0x3f }
        /// NVM_SUM: what all words add up to.
        @inlinable public static var sum: UInt16 { 0xbaba }

        /// What the checksum word has to be for these words. Words from `checksum` on are left out.
        public static func checksum(of words: some Sequence<UInt16>) -> UInt16 {
            words.prefix(checksum).reduce(sum) { $0 &- $1 }
        }

        /// Words 0 to 2 of a MAC address of 6 bytes.
        public static func words(ofMAC mac: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)) -> (UInt16, UInt16, UInt16) {
            (
                UInt16(mac.0) | UInt16(mac.1) << 8, UInt16(mac.2) | UInt16(mac.3) << 8,
                UInt16(mac.4) | UInt16(mac.5) << 8
            )
        }
    }
}
