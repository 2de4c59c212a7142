public import DeviceAccess
import LinuxIO

extension DriverBinding {
    /// Gives functions back to the drivers that they had before ``bind(_:_:)``. Functions that VFIO does not have stay as
    /// they are.
    ///
    /// Without a record, because somebody else has bound it, the kernel chooses the driver.
    public func unbind(_ addresses: [PCIAddress], force: Bool = false) throws(BindError) -> [Outcome] {
        try records.withLock { () throws(BindError) in
            for address in addresses {
                guard let function = function(address) else { throw .noSuchFunction("\(address)") }
                if !force, function.isBoundToVFIO { try checkNobodyUsesIt(function) }
            }
            var done: [Outcome] = []
            for address in addresses { done.append(try takeBack(address)) }
            return done.map { $0.seen(by: self) }
        }
    }

    private func takeBack(_ address: PCIAddress) throws(BindError) -> Outcome {
        let before = state(address)
        let record = records.read("\(address)")
        let isGivenAway = before.driver.map { SysfsDevice.isVFIO(driver: $0) } ?? (record != nil)
        guard isGivenAway else {
            records.remove("\(address)")
            return Outcome(address: address, driverBefore: before.driver, driver: before.driver, changed: false)
        }
        if let driver = record?.driver, !paths.exists("\(paths.kernel.sys)/bus/pci/drivers/\(driver)") { _ = loadModule(driver) }
        do {
            if let record {
                try change(address, from: before.driver, to: record.driver, override: record.override)
            } else {
                try change(address, from: before.driver, to: nil, override: nil)
                try write("\(paths.kernel.sys)/bus/pci/drivers_probe", "\(address)")
            }
        } catch {
            throw .refused("\(address)", cause: error, fix: "Run this as root; `unic list` shows how it stands now, `dmesg` may say why.")
        }
        let now = state(address)
        if let wanted = record?.driver, now.driver != wanted {
            throw .notTaken("\(address)", driver: wanted, holder: now.driver, fix: "`dmesg` says why; run `unic unbind` again afterwards.")
        }
        records.remove("\(address)")
        return Outcome(address: address, driverBefore: before.driver, driver: now.driver, changed: true)
    }
}
