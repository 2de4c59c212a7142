/// Values of the 82574L's NVM, MDIO and semaphore registers.
///
/// Names and bits of EECD, MDIC, EXTCNF_CTRL, SWSM …: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.

extension E1000E {
    /// EEPROM and flash control. E1000_EECD_*.
    @frozen
    public struct NVMControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Bit-bang clock.
        @inlinable public static var clock: Self { Self(rawValue: 1 << 0) }
        /// Bit-bang chip select.
        @inlinable public static var chipSelect: Self { Self(rawValue: 1 << 1) }
        /// Bit-bang data to the NVM.
        @inlinable public static var dataIn: Self { Self(rawValue: 1 << 2) }
        /// Bit-bang data from the NVM.
        @inlinable public static var dataOut: Self { Self(rawValue: 1 << 3) }
        /// Software asks for bit-bang access.
        @inlinable public static var request: Self { Self(rawValue: 1 << 6) }
        /// Bit-bang access is granted.
        @inlinable public static var grant: Self { Self(rawValue: 1 << 7) }
        /// An NVM is there and its signature is right.
        @inlinable public static var present: Self { Self(rawValue: 1 << 8) }
        /// The automatic read after reset has ended.
        @inlinable public static var autoReadDone: Self { Self(rawValue: 1 << 9) }
        /// Copy shadow RAM to flash; clears itself.
        @inlinable public static var flashUpdate: Self { Self(rawValue: 1 << 19) }
        /// Autonomous flash update.
        @inlinable public static var autonomousUpdate: Self { Self(rawValue: 1 << 20) }
        /// Sector 1 of the flash is the valid one.
        @inlinable public static var sectorOneValid: Self { Self(rawValue: 1 << 22) }

        /// 1 flash writes off, 2 on.
        @inlinable public static var flashWriteField: BitField { BitField(shift: 4, width: 2) }
        /// 1 flash writes off, 2 on.
        @inlinable public var flashWrite: UInt32 {
            get { Self.flashWriteField.extract(rawValue) }
            set { rawValue = Self.flashWriteField.insert(newValue, into: rawValue) }
        }
        /// NVM size code.
        @inlinable public static var sizeField: BitField { BitField(shift: 11, width: 4) }
        /// NVM size code.
        @inlinable public var size: UInt32 {
            get { Self.sizeField.extract(rawValue) }
            set { rawValue = Self.sizeField.insert(newValue, into: rawValue) }
        }
        /// NVM address size code.
        @inlinable public static var addressSizeField: BitField { BitField(shift: 15, width: 2) }
        /// NVM address size code.
        @inlinable public var addressSize: UInt32 {
            get { Self.addressSizeField.extract(rawValue) }
            set { rawValue = Self.addressSizeField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("SK", .clock),
                ("CS", .chipSelect),
                ("DI", .dataIn),
                ("DO", .dataOut),
                ("REQ", .request),
                ("GNT", .grant),
                ("PRES", .present),
                ("AUTO_RD", .autoReadDone),
                ("FLUPD", .flashUpdate),
                ("AUPDEN", .autonomousUpdate),
                ("SEC1VAL", .sectorOneValid),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("FWE", flashWriteField),
                ("SIZE_EX", sizeField),
                ("NVADDS", addressSizeField),
            ]
        }
    }

    /// NVM word read and write (EERD and EEWR), 82574 layout. E1000_EERW_*.
    @frozen
    public struct NVMRead: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Start the access.
        @inlinable public static var start: Self { Self(rawValue: 1 << 0) }
        /// The access has ended; the data are valid.
        @inlinable public static var done: Self { Self(rawValue: 1 << 1) }

        /// Word address.
        @inlinable public static var addressField: BitField { BitField(shift: 2, width: 14) }
        /// Word address.
        @inlinable public var address: UInt32 {
            get { Self.addressField.extract(rawValue) }
            set { rawValue = Self.addressField.insert(newValue, into: rawValue) }
        }
        /// The word.
        @inlinable public static var dataField: BitField { BitField(shift: 16, width: 16) }
        /// The word.
        @inlinable public var data: UInt32 {
            get { Self.dataField.extract(rawValue) }
            set { rawValue = Self.dataField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("START", .start),
                ("DONE", .done),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("ADDR", addressField),
                ("DATA", dataField),
            ]
        }
    }

    /// PHY register access. E1000_MDIC_*.
    @frozen
    public struct MDIControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Write `data` to the PHY register.
        @inlinable public static var write: Self { Self(rawValue: 1 << 26) }
        /// Read the PHY register into `data`.
        @inlinable public static var read: Self { Self(rawValue: 1 << 27) }
        /// The access has ended.
        @inlinable public static var ready: Self { Self(rawValue: 1 << 28) }
        /// Raise MDAC when it ends.
        @inlinable public static var interruptEnable: Self { Self(rawValue: 1 << 29) }
        /// The PHY did not answer.
        @inlinable public static var error: Self { Self(rawValue: 1 << 30) }

        /// The PHY register's value.
        @inlinable public static var dataField: BitField { BitField(shift: 0, width: 16) }
        /// The PHY register's value.
        @inlinable public var data: UInt32 {
            get { Self.dataField.extract(rawValue) }
            set { rawValue = Self.dataField.insert(newValue, into: rawValue) }
        }
        /// PHY register, 0 to 31.
        @inlinable public static var registerNumberField: BitField { BitField(shift: 16, width: 5) }
        /// PHY register, 0 to 31.
        @inlinable public var registerNumber: UInt32 {
            get { Self.registerNumberField.extract(rawValue) }
            set { rawValue = Self.registerNumberField.insert(newValue, into: rawValue) }
        }
        /// PHY address; the internal PHY is 1.
        @inlinable public static var phyAddressField: BitField { BitField(shift: 21, width: 5) }
        /// PHY address; the internal PHY is 1.
        @inlinable public var phyAddress: UInt32 {
            get { Self.phyAddressField.extract(rawValue) }
            set { rawValue = Self.phyAddressField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("OP_WRITE", .write),
                ("OP_READ", .read),
                ("READY", .ready),
                ("INT_EN", .interruptEnable),
                ("ERROR", .error),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("DATA", dataField),
                ("REG", registerNumberField),
                ("PHY", phyAddressField),
            ]
        }
    }

    /// Extended configuration control, with the MDIO ownership of software. E1000_EXTCNF_CTRL_*.
    @frozen
    public struct ExtendedConfiguration: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// PHY configuration from the NVM is on.
        @inlinable public static var phyWriteEnable: Self { Self(rawValue: 1 << 0) }
        /// OEM bits from the NVM are written to the PHY.
        @inlinable public static var oemWriteEnable: Self { Self(rawValue: 1 << 3) }
        /// Software owns MDIO and NVM; set, then read back.
        @inlinable public static var mdioSoftwareOwnership: Self { Self(rawValue: 1 << 5) }
        /// Automatic PHY configuration is gated.
        @inlinable public static var gatePHYConfiguration: Self { Self(rawValue: 1 << 7) }

        /// NVM word of the extended configuration.
        @inlinable public static var pointerField: BitField { BitField(shift: 16, width: 12) }
        /// NVM word of the extended configuration.
        @inlinable public var pointer: UInt32 {
            get { Self.pointerField.extract(rawValue) }
            set { rawValue = Self.pointerField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("LCD_WRITE_ENABLE", .phyWriteEnable),
                ("OEM_WRITE_ENABLE", .oemWriteEnable),
                ("MDIO_SW_OWNERSHIP", .mdioSoftwareOwnership),
                ("GATE_PHY_CFG", .gatePHYConfiguration),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("EXT_CNF_POINTER", pointerField)
            ]
        }
    }

    /// Management NVM control. E1000_NVM_CFG_DONE_PORT_*.
    @frozen
    public struct ManagementNVMControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Configuration of the PHY from the NVM has ended.
        @inlinable public static var configurationDone: Self { Self(rawValue: 1 << 18) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("CFG_DONE", .configurationDone)
            ]
        }
    }

    /// Software semaphore. E1000_SWSM_*.
    @frozen
    public struct SoftwareSemaphore: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Taken by the reader that sees 0: a read sets it.
        @inlinable public static var semaphore: Self { Self(rawValue: 1 << 0) }
        /// Asked by writing 1; got when it reads 1.
        @inlinable public static var firmwareSemaphore: Self { Self(rawValue: 1 << 1) }
        /// A driver is in charge.
        @inlinable public static var driverLoaded: Self { Self(rawValue: 1 << 3) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("SMBI", .semaphore),
                ("SWESMBI", .firmwareSemaphore),
                ("DRV_LOAD", .driverLoaded),
            ]
        }
    }

    /// Second software semaphore. E1000_SWSM2_LOCK.
    @frozen
    public struct SoftwareSemaphore2: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Driver lock that boot agents do not touch.
        @inlinable public static var lock: Self { Self(rawValue: 1 << 1) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("LOCK", .lock)
            ]
        }
    }

    /// Software and firmware locks on resources. E1000_SWFW_*.
    @frozen
    public struct ResourceSync: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// NVM, software's bit.
        @inlinable public static var nvm: Self { Self(rawValue: 1 << 0) }
        /// PHY 0, software's bit.
        @inlinable public static var phy0: Self { Self(rawValue: 1 << 1) }
        /// PHY 1, software's bit.
        @inlinable public static var phy1: Self { Self(rawValue: 1 << 2) }
        /// Shared registers, software's bit.
        @inlinable public static var csr: Self { Self(rawValue: 1 << 3) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("EEP_SM", .nvm),
                ("PHY0_SM", .phy0),
                ("PHY1_SM", .phy1),
                ("CSR_SM", .csr),
            ]
        }
    }
}
