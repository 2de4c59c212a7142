public import DeviceAccess
import DeviceMemory
public import DeviceModel
import LinuxIO

/// A PCI function of this machine, or of another server, as a vfio-user server offers it: docs/passthrough.md says which registers are whose.
///
/// Config space is the kernel's, which has virtualised what a user may not have (BARs, command register, INTx, MSI, FLR, power
/// management): each read and each write goes to it. Areas of BARs are mapped by the client from the device's own file, interrupts
/// signal the client's eventfds; what comes here is what is left: config space, and registers that cannot be mapped.
public struct PassthroughFunction: ~Copyable, DeviceModel {
    public let function: FunctionDescription
    /// What a server offers it with.
    public let environment: DeviceEnvironment
    /// Accesses that the host refused: the client read all ones, or its write was lost.
    public private(set) var failedAccesses: UInt64 = 0
    public private(set) var lastFailure: DeviceError?

    private let host: any HostFunction
    private let interrupts: HostInterrupts

    /// - Parameter host: open; where its DMA goes is somebody else's affair.
    public init(_ host: any HostFunction) throws(DeviceError) {
        let description = try PassthroughFunction.describe(host)
        var offsets: [Int: UInt64] = [:]
        var files: [Int: SharedDescriptor] = [:]
        for (bar, its) in description.bars.enumerated() where its?.memoryAreas.isEmpty == false {
            offsets[bar] = try host.fileOffset(ofRegion: bar)
            files[bar] = SharedDescriptor(try host.duplicateFile(ofRegion: bar))
        }
        self.host = host
        function = description
        interrupts = HostInterrupts(host)
        // No model does DMA here: the space stays empty.
        environment = DeviceEnvironment(for: description, dma: DMASpace(maximumEntries: 1), files: files, offsets: offsets)
        environment.interrupts.carrier = interrupts
    }

    private static func describe(_ host: any HostFunction) throws(DeviceError) -> FunctionDescription {
        let byteCount = Int(clamping: min(try host.regionInfo(configRegion).byteCount, UInt64(ConfigSpaceBuilder.byteCount)))
        var config: [UInt8] = []
        for offset in stride(from: 0, to: byteCount, by: 4) {
            let word = try host.readConfig(at: offset, byteCount: 4)
            for index in 0..<4 { config.append(UInt8(truncatingIfNeeded: word >> UInt32(8 * index))) }
        }
        guard config.count >= 64 else {
            throw .notUsable(device: host.url, group: nil, reason: "it has \(byteCount) bytes of config space", fix: "Use a PCI function.")
        }
        var bars = [BARDescription?](repeating: nil, count: 6)
        for bar in bars.indices {
            let info = try host.regionInfo(bar)
            guard info.byteCount > 0 else { continue }
            bars[bar] = BARDescription(
                byteCount: info.byteCount, isIO: config[0x10 + 4 * bar] & 1 != 0, memoryAreas: info.mmappableAreas.compactMap(wholePages))
        }
        return FunctionDescription(
            config: config, writableConfigBits: [UInt8](repeating: 0xff, count: config.count), bars: bars,
            msixVectorCount: try host.interruptCount(.msix), msiVectorCount: try host.interruptCount(.msi),
            hasINTx: try host.interruptCount(.intx) > 0)
    }

    private static func wholePages(_ area: Range<UInt64>) -> Range<UInt64>? {
        let end = area.upperBound & ~4095
        return area.lowerBound & 4095 == 0 && area.lowerBound < end ? area.lowerBound..<end : nil
    }

    /// VFIO_PCI_CONFIG_REGION_INDEX
    private static var configRegion: Int { 7 }

    // MARK: Accesses

    public mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        do throws(DeviceError) { return try host.readRegion(bar, at: offset, byteCount: byteCount) } catch {
            note(error)
            return byteCount < 8 ? 1 << UInt64(8 * byteCount) - 1 : .max
        }
    }

    public mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        do throws(DeviceError) { try host.writeRegion(bar, at: offset, value, byteCount: byteCount) } catch { note(error) }
    }

    public mutating func configWillBeRead(at offset: Int, byteCount: Int) {
        for (at, count) in pieces(at: offset, byteCount) {
            var value = UInt32.max
            do throws(DeviceError) { value = try host.readConfig(at: at, byteCount: count) } catch { note(error) }
            for index in 0..<count { environment.config[at + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
        }
    }

    /// Every bit counts as writable here: the environment has what the client wrote, and the kernel takes of it what it permits.
    public mutating func configWritten(at offset: Int, byteCount: Int) {
        for (at, count) in pieces(at: offset, byteCount) {
            let value = (0..<count).reduce(UInt32(0)) { $0 | UInt32(environment.config[at + $1]) << UInt32(8 * $1) }
            do throws(DeviceError) { try host.writeConfig(value, at: at, byteCount: count) } catch { note(error) }
        }
    }

    /// Aligned accesses of 1, 2 or 4 bytes, inside of config space.
    private func pieces(at offset: Int, _ byteCount: Int) -> [(at: Int, byteCount: Int)] {
        guard offset >= 0, byteCount > 0, offset < environment.config.count else { return [] }
        let end = offset + min(byteCount, environment.config.count - offset)
        var pieces: [(at: Int, byteCount: Int)] = []
        var at = offset
        while at < end {
            var count = 4
            while at & (count - 1) != 0 || count > end - at { count >>= 1 }
            pieces.append((at, count))
            at += count
        }
        return pieces
    }

    private mutating func note(_ error: DeviceError) {
        failedAccesses &+= 1
        lastFailure = error
    }

    // MARK: The device's life

    /// The host resets the function; the client's eventfds stay connected, as after a reset of hardware. Without a reset of its
    /// own only its bus mastering is switched off: no DMA, and no MSI.
    public mutating func reset() {
        do throws(DeviceError) { try host.reset() } catch {
            note(error)
            stopBusMaster()
        }
        for kind in [InterruptLines.Kind.intx, .msi, .msix] where environment.interrupts.hasConnected(kind) {
            _ = environment.interrupts.handOver(kind)
        }
    }

    /// PCI_COMMAND, bit 2 (PCI Local Bus 3.0 §6.2.2).
    private mutating func stopBusMaster() {
        do throws(DeviceError) {
            let command = try host.readConfig(at: 4, byteCount: 2)
            try host.writeConfig(command & ~0x4, at: 4, byteCount: 2)
        } catch { note(error) }
    }

    /// Hardware works by itself.
    public mutating func progress() -> Bool { false }
    public var wantsPolling: Bool { false }
    public mutating func armWake() -> Int32? { nil }
    public mutating func disarmWake() {}
}
