public import DeviceAccess
public import LinuxIO

/// Gives PCI functions to vfio-pci and back to the kernel's drivers (Documentation/ABI/testing/sysfs-bus-pci: driver_override,
/// unbind, drivers_probe; sysfs-bus-pci's drivers/…/bind).
///
/// All of a call's functions are looked at before the first is touched, and a call that fails half-way puts back what it
/// has changed. Root only.
public struct DriverBinding: Sendable {
    public struct Options: Sendable {
        public var driver = "vfio-pci"
        /// Gets the device files.
        public var owner: UserAccount?
        /// Take functions that somebody may need.
        public var force = false
        public init() {}
    }

    /// What became of one function.
    public struct Outcome: Equatable, Sendable {
        public let address: PCIAddress
        public let driverBefore: String?
        public let driver: String?
        /// false: it was so already.
        public let changed: Bool
        /// As it is afterwards.
        public var function: PCIFunction?

        func seen(by binding: DriverBinding) -> Outcome {
            var outcome = self
            outcome.function = binding.function(address)
            return outcome
        }
    }

    let paths: HostPaths
    let records: BindingRecords
    /// How sysfs is written. A test's kernel listens here.
    let write: @Sendable (_ path: String, _ text: String) throws(SystemCallError) -> Void
    let loadModule: @Sendable (_ name: String) -> String?

    public init(_ paths: HostPaths = HostPaths()) {
        self.init(
            paths, write: { (path, text) throws(SystemCallError) in try writeSmallFile(path, text) },
            loadModule: KernelModule.load)
    }

    init(
        _ paths: HostPaths, write: @escaping @Sendable (_ path: String, _ text: String) throws(SystemCallError) -> Void,
        loadModule: @escaping @Sendable (_ name: String) -> String?
    ) {
        self.paths = paths
        records = BindingRecords(directory: paths.records)
        self.write = write
        self.loadModule = loadModule
    }

    /// Binds functions to a driver that gives them to userspace.
    public func bind(_ addresses: [PCIAddress], _ options: Options = Options()) throws(BindError) -> [Outcome] {
        guard DriverName.isOne(options.driver) else {
            throw .impossible(options.driver, reason: "that is no driver's name", fix: "Leave --driver out for vfio-pci.")
        }
        return try records.withLock { () throws(BindError) in
            for address in addresses { try check(address, options) }
            try load(options.driver)
            var done: [Outcome] = []
            for address in addresses {
                do throws(BindError) {
                    done.append(try give(address, options))
                    if let owner = options.owner { try own(address, owner) }
                } catch {
                    // The function at hand is back already if giving it failed; if its files could not be given, it is the last of `done`.
                    throw undo(done, after: error)
                }
            }
            return done.map { $0.seen(by: self) }
        }
    }

    private func load(_ driver: String) throws(BindError) {
        let path = "\(paths.kernel.sys)/bus/pci/drivers/\(driver)"
        guard !paths.exists(path) else { return }
        let reason = loadModule(driver)
        guard paths.exists(path) else {
            throw .impossible(
                driver, reason: "the driver is not loaded\(reason.map { ", and modprobe said: \($0)" } ?? "")",
                fix: "`unic doctor` says what is missing.")
        }
    }

    /// One function to the driver. Whatever fails is undone here.
    private func give(_ address: PCIAddress, _ options: Options) throws(BindError) -> Outcome {
        let before = state(address)
        guard before.driver != options.driver else {
            return Outcome(address: address, driverBefore: before.driver, driver: before.driver, changed: false)
        }
        do {
            // From one VFIO driver to another: what the kernel had before stays the thing to remember.
            let isFromVFIO = before.driver.map { SysfsDevice.isVFIO(driver: $0) } ?? false
            if !isFromVFIO || records.read("\(address)") == nil { try records.write(before, of: "\(address)") }
            try change(address, from: before.driver, to: options.driver, override: options.driver)
        } catch { throw failed(address, error, before, "Run this as root; `dmesg` and `unic doctor` may say more.") }
        let driver = state(address).driver
        guard driver == options.driver else {
            let error = BindError.notTaken("\(address)", driver: options.driver, holder: before.driver, fix: "`dmesg` says why.")
            throw putBack(address, before).map { BindError.leftOver("\(address)", was: "\(error)", reason: $0) } ?? error
        }
        return Outcome(address: address, driverBefore: before.driver, driver: driver, changed: true)
    }

    private func failed(_ address: PCIAddress, _ cause: SystemCallError, _ before: BindingRecord, _ fix: String) -> BindError {
        let error = BindError.refused("\(address)", cause: cause, fix: fix)
        return putBack(address, before).map { .leftOver("\(address)", was: "\(error)", reason: $0) } ?? error
    }

    /// Undoes what this call did before its failure, last function first.
    private func undo(_ done: [Outcome], after error: BindError) -> BindError {
        var reasons: [String] = []
        for outcome in done.reversed() where outcome.changed {
            guard let record = records.read("\(outcome.address)") else { continue }
            if let reason = putBack(outcome.address, record) { reasons.append("\(outcome.address): \(reason)") }
        }
        return reasons.isEmpty ? error : .leftOver("\(done.map(\.address))", was: "\(error)", reason: reasons.joined(separator: " "))
    }

    /// Restores a function and forgets its record. nil: it is as it was; else why it is not.
    private func putBack(_ address: PCIAddress, _ before: BindingRecord) -> String? {
        do {
            let now = state(address).driver
            try write("\(paths.kernel.device(address))/driver_override", (before.override ?? "") + "\n")
            if now != before.driver { try change(address, from: now, to: before.driver, override: before.override) }
        } catch { return "\(error)" }
        let now = state(address).driver
        guard now == before.driver else { return "it is bound to \(now ?? "no driver") and not to \(before.driver ?? "none")." }
        records.remove("\(address)")
        return nil
    }

    /// driver_override, unbind, bind. `bind` rather than drivers_probe: its write fails with the probe's own errno.
    func change(_ address: PCIAddress, from: String?, to driver: String?, override: String?) throws(SystemCallError) {
        let device = paths.kernel.device(address)
        try write("\(device)/driver_override", (override ?? "") + "\n")
        if from != nil { try write("\(device)/driver/unbind", "\(address)") }
        if let driver { try write("\(paths.kernel.sys)/bus/pci/drivers/\(driver)/bind", "\(address)") }
    }

    /// The driver now, and driver_override.
    func state(_ address: PCIAddress) -> BindingRecord {
        let device = paths.kernel.device(address)
        let override = paths.line("\(device)/driver_override").flatMap { $0.isEmpty || $0 == "(null)" ? nil : $0 }
        return BindingRecord(driver: paths.linkedName("\(device)/driver"), override: override)
    }

    func function(_ address: PCIAddress) -> PCIFunction? {
        PCIFunction(address: address, paths: paths, defaultRoutes: DefaultRoutes.interfaces(paths))
    }

    /// Gives the device's files to a user.
    private func own(_ address: PCIAddress, _ user: UserAccount) throws(BindError) {
        guard let function = function(address) else { throw .noSuchFunction("\(address)") }
        let nodes = [function.groupNode, function.deviceNode].compactMap { $0 }
        guard !nodes.isEmpty else {
            throw .impossible(
                "\(address)", reason: "it has no file in /dev/vfio to give to \(user.name)", fix: "In a container, pass /dev/vfio in.")
        }
        for node in nodes {
            do { try FileOwner.change(node.path, toUser: user.identifier) } catch {
                throw .refused("\(address)", cause: error, fix: "Run this as root.")
            }
        }
    }
}
