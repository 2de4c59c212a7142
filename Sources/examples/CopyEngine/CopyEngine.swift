import DeviceMemory
public import DeviceModel
public import LinuxIO

/// A device that copies memory: the smallest one that has what most devices have. A ring of jobs in the driver's memory, a
/// doorbell in a mapped page, DMA, one MSI-X vector, function level reset.
///
/// The driver writes the ring's address and size, enables the engine, writes jobs into the ring, and stores how many there are
/// so far into the doorbell. The engine works them off in order, writes each one's outcome into the job, then counts it.
public struct CopyEngine: DeviceModel, ~Copyable {
    public let environment: DeviceEnvironment
    private var registers = CopyEngineRegisters()
    /// Jobs done since the ring was enabled; wraps.
    private var completed: UInt32 = 0
    /// Through which it copies.
    private let staging: DMAMemory

    /// - Parameter environment: made for ``functionDescription``.
    public init(environment: DeviceEnvironment) throws(SystemCallError) {
        self.environment = environment
        staging = try DMAMemory.ordinary(byteCount: Int(CopyJob.maximumByteCount), name: "copy-engine")
    }

    // MARK: What it looks like

    /// Where things are in config space and in BAR 0.
    public enum Place {
        public static var bar: Int { 0 }
        public static var doorbell: UInt64 { 0x1000 }
        public static var msixTable: Int { 0x2000 }
        public static var msixPending: Int { 0x2800 }
        static var power: Int { 0x40 }
        static var msix: Int { 0x48 }
        public static var pciExpress: Int { 0x54 }
    }

    public static var functionDescription: FunctionDescription {
        // Class 0xff: a device that fits no other class. The ids are nobody's; take your own.
        var space = ConfigSpaceBuilder(PCIIdentity(vendor: 0x1234, device: 0xc0b1, classCode: 0xff_0000), hasINTx: false)
        let doorbellPage = Place.doorbell..<Place.doorbell + 0x1000
        space.add(BARDescription(byteCount: 0x4000, memoryAreas: [doorbellPage], notifyRegisters: [Place.doorbell]), asBAR: Place.bar)
        space.add(.powerManagement(), at: Place.power)
        space.add(.msix(vectorCount: 1, table: (Place.bar, Place.msixTable), pending: (Place.bar, Place.msixPending)), at: Place.msix)
        space.add(.pciExpress(canBeReset: true), at: Place.pciExpress)
        return space.function
    }

    public var function: FunctionDescription { Self.functionDescription }

    // MARK: What the driver reads and writes

    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard bar == Place.bar, byteCount == 4 else { return 0 }
        return UInt64(registers.read(offset, completed: completed))
    }

    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        guard bar == Place.bar, byteCount == 4 else { return }
        // Enabling starts at the ring's first job, with an empty doorbell.
        if registers.write(offset, UInt32(truncatingIfNeeded: value)) {
            completed = 0
            doorbells?.store32(0, at: 0)
        }
    }

    public mutating func configWritten(at offset: Int, byteCount: Int) {
        guard environment.isResetWanted(pciExpressAt: Place.pciExpress, writtenAt: offset, byteCount: byteCount) else { return }
        environment.resetToPowerOn()
        reset()
    }

    public mutating func reset() {
        registers = CopyEngineRegisters()
        completed = 0
    }

    // MARK: Work

    /// Looked at while the engine is enabled: a store into mapped memory wakes nobody.
    public var wantsPolling: Bool { registers.isEnabled }
    public mutating func armWake() -> Int32? { nil }
    public mutating func disarmWake() {}

    private var doorbells: MemoryWindow? { environment.memoryAreas(of: Place.bar).first?.window }

    /// At most so many jobs a step, so that registers are answered meanwhile.
    private static var jobsAStep: Int { 16 }

    public mutating func progress() -> Bool {
        guard registers.isEnabled, environment.isBusMaster, let doorbell = doorbells?.loadAcquire32(at: 0) else { return false }
        // Hostile: more jobs than the ring holds cannot be waiting.
        guard doorbell &- completed <= registers.jobCount else { return fault() }
        var done = 0
        while completed != doorbell, done < Self.jobsAStep {
            guard run(slot: completed % registers.jobCount) else { return fault() }
            completed &+= 1
            done += 1
        }
        return done > 0
    }

    /// The engine stops until it is enabled again.
    private mutating func fault() -> Bool {
        registers.stopWithFault()
        environment.interrupts.trigger(.msix, vector: 0)
        return true
    }

    /// False: the ring itself cannot be reached.
    private func run(slot: UInt32) -> Bool {
        guard let address = registers.ring.advanced(by: UInt64(slot) * UInt64(CopyJob.byteCount)),
            let ring = environment.dma.translate(address, byteCount: CopyJob.byteCount, access: .readWrite)
        else { return false }
        // Read once into a value; the driver may write the ring at any time.
        let job = CopyJob(ring)
        let outcome = job.run(environment.dma, through: staging.window)
        CopyJob.finish(ring, outcome)
        if job.wantsInterrupt { environment.interrupts.trigger(.msix, vector: 0) }
        return true
    }
}
