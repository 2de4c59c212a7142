import DeviceMemory
import DeviceModel
import LinuxIO
import NicModels
import Synchronization
import VfioUser

/// Round trips of a register's read and of a mapping, both ends polling on a CPU each, or both sleeping on one CPU.
func timeSocket(isBusy: Bool, path: String) throws {
    let cpus = Processor.usable
    guard let first = cpus.first, let last = cpus.last, !isBusy || cpus.count > 1 else { fatalError("two CPUs are needed") }
    let server = try RunningModel(path: path, isBusy: isBusy, cpu: isBusy ? last : first)
    try Processor.pinCallingThread(to: first)
    do {
        let device = try VfioUserDevice(url: "vfio-user:\(path)", socketPath: path)
        device.spinMicroseconds = isBusy ? 100_000 : 0
        let reads = try timeReads(device, count: 20_000)
        let pairs = try timeMappings(device, count: 20_000)
        print("{\"read\":\(reads),\"pairs\":\(pairs)}")
    }
    server.stop()
}

/// The median of a register's read in µs: Device Status of the e1000e, offset 8 of its BAR 0.
private func timeReads(_ device: VfioUserDevice, count: Int) throws -> Double {
    var times: [Double] = []
    for _ in 0..<count {
        let start = MonotonicClock.nanoseconds()
        _ = try device.readRegion(0, at: 8, byteCount: 4)
        times.append(Double(MonotonicClock.nanoseconds() - start) / 1000)
    }
    return median(times)
}

/// DMA_MAP and DMA_UNMAP of a memfd, pairs a second: the rate of the median one among batches of 50, since a busy thread that
/// another program interrupts loses a time slice of some hundred pairs.
private func timeMappings(_ device: VfioUserDevice, count: Int) throws -> Double {
    let memory = try DMAMemory.ordinary(byteCount: 1 << 21)
    guard let range = IOVARange(start: IOVA(1 << 32), byteCount: UInt64(memory.byteCount)) else { fatalError("2 MiB at 4 GiB") }
    let batch = 50
    var times: [Double] = []
    for _ in 0..<count / batch {
        let start = MonotonicClock.nanoseconds()
        for _ in 0..<batch {
            try device.map(memory, at: range.start, access: .readWrite)
            try device.unmap(range)
        }
        times.append(Double(MonotonicClock.nanoseconds() - start) / Double(batch))
    }
    return 1e9 / median(times)
}

/// An e1000e that a thread offers at a socket.
private struct RunningModel: ~Copyable {
    private let thread: WorkerThread<Void>
    private let control: ServerControl

    init(path: String, isBusy: Bool, cpu: Int) throws {
        let started = Started()
        thread = try WorkerThread {
            do {
                try Processor.pinCallingThread(to: cpu)
                var options = ServerOptions()
                options.busyPoll = isBusy
                options.pollMicroseconds = 0
                let environment = try DeviceEnvironment(for: E1000EModel<CableWire>.functionDescription)
                let (wire, otherEnd) = try CableWire.pair()
                let model = try E1000EModel(wire: wire, macAddress: 0x02_00_00_00_00_01, environment: environment)
                let server = try VfioUserServer(model: model, environment: environment, socketPath: path, options: options)
                try server.serve { started.control.withLock { $0 = server.control } }
                withExtendedLifetime(otherEnd) {}
            } catch { fatalError("\(error)") }
        }
        while started.control.withLock({ $0 == nil }) { Processor.yield() }
        guard let control = started.control.withLock({ $0 }) else { fatalError("no server") }
        self.control = control
    }

    consuming func stop() {
        control.stop()
        thread.join()
    }

    private final class Started: Sendable {
        let control = Mutex<ServerControl?>(nil)
    }
}
