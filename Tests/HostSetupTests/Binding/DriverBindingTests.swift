import Foundation
import LinuxIO
import SystemPackage
import Testing

@testable import HostSetup

@Suite struct DriverBindingTests {
    private let a = pci("0000:01:00.0")
    private let b = pci("0000:02:00.0")

    /// Two NICs behind an IOMMU, their interfaces down.
    private func machine() throws -> FakeMachine {
        let machine = try FakeMachine()
        try machine.loadVFIO()
        try machine.addIOMMU()
        try machine.add("0000:01:00.0", group: "7", interface: ("eth0", "0x1002", "down"))
        try machine.add("0000:02:00.0", group: "8", interface: ("eth1", "0x1002", "down"))
        return machine
    }

    private func driver(_ machine: FakeMachine, _ address: String = "0000:01:00.0") -> String? {
        machine.facts.functions.first { "\($0.address)" == address }?.driver
    }

    @Test func bindTakesANICAndUnbindGivesItToTheDriverThatItHad() throws {
        let machine = try machine()
        let outcome = try #require(try machine.binding().bind([a]).first)
        #expect(outcome.changed && outcome.driverBefore == "e1000e" && outcome.driver == "vfio-pci")
        #expect(outcome.function?.groupNode != nil && outcome.function?.interfaces.isEmpty == true)
        #expect(machine.writes == ["0000:01:00.0/driver_override: vfio-pci", "driver/unbind: 0000:01:00.0", "vfio-pci/bind: 0000:01:00.0"])
        // Another process, later.
        let back = try #require(try machine.binding().unbind([a]).first)
        #expect(back.changed && back.driver == "e1000e" && driver(machine) == "e1000e")
        #expect(machine.read("sys/bus/pci/devices/0000:01:00.0/driver_override") == "(null)\n")
        #expect(machine.read("run/unic/driver-of-0000:01:00.0") == nil, "the record has served")
    }

    @Test func doneTwiceNothingChanges() throws {
        let machine = try machine()
        _ = try machine.binding().bind([a])
        let count = machine.writes.count
        #expect(try machine.binding().bind([a]).first?.changed == false)
        #expect(machine.writes.count == count && machine.read("run/unic/driver-of-0000:01:00.0") == "driver e1000e\noverride -\n")
        _ = try machine.binding().unbind([a])
        #expect(try machine.binding().unbind([a]).first?.changed == false && driver(machine) == "e1000e")
    }

    @Test func aDriverlessNICIsDriverlessAgain() throws {
        let machine = try machine()
        try machine.add("0000:03:00.0", driver: nil, group: "9")
        _ = try machine.binding().bind([pci("0000:03:00.0")])
        #expect(try machine.binding().unbind([pci("0000:03:00.0")]).first?.driver == nil)
    }

    @Test func withoutARecordTheKernelChooses() throws {
        let machine = try machine()
        _ = try machine.binding().bind([a])
        machine.remove("run/unic/driver-of-0000:01:00.0")
        #expect(try machine.binding().unbind([a]).first?.driver == "e1000e")
        #expect(machine.writes.last == "pci/drivers_probe: 0000:01:00.0")
    }

    @Test(arguments: [
        ("0x1003", false, "is up"), ("0x1002", true, "default route"),
    ])
    func aNICThatSomebodyNeedsIsLeftAloneUnlessForced(flags: String, hasRoute: Bool, words: String) throws {
        let machine = try machine()
        try machine.write("sys/bus/pci/devices/0000:01:00.0/net/eth0/flags", flags)
        if hasRoute { try machine.write("proc/net/route", "Iface\neth0\t00000000\t0\t0003\t0\t0\t0\t00000000\n") }
        let error = #expect(throws: BindError.self) { try machine.binding().bind([b, a]) }
        #expect(error?.description.contains(words) == true && error?.description.contains("eth0") == true, "\(String(describing: error))")
        #expect(machine.writes.isEmpty, "the other NIC was touched")
        var options = DriverBinding.Options()
        options.force = true
        #expect(try machine.binding().bind([a], options).first?.driver == "vfio-pci")
    }

    @Test func anInterfaceThatIsNotSeenIsSaidToBeElsewhere() throws {
        let machine = try machine()
        try machine.add("0000:03:00.0", group: "9")
        let error = #expect(throws: BindError.self) { try machine.binding().bind([pci("0000:03:00.0")]) }
        #expect(error?.description.contains("network namespace") == true && machine.writes.isEmpty)
    }

    @Test func aRefusedBindIsTakenBack() throws {
        let machine = try machine()
        machine.refuse("vfio-pci", .invalidArgument)
        let error = #expect(throws: BindError.self) { try machine.binding().bind([a]) }
        #expect(error?.description.contains("errno 22") == true, "\(String(describing: error))")
        #expect(driver(machine) == "e1000e")
        #expect(machine.read("sys/bus/pci/devices/0000:01:00.0/driver_override") == "(null)\n")
        #expect(machine.read("run/unic/driver-of-0000:01:00.0") == nil)
    }

    @Test func ifTheSecondFailsTheFirstIsTakenBackToo() throws {
        let machine = try machine()
        try machine.add("0000:03:00.0", driver: "vfio_pci_of_nobody", group: "9")
        var options = DriverBinding.Options()
        options.owner = UserAccount(name: "me", identifier: effectiveUser)
        // No group, hence no file that could be given to the user.
        try machine.add("0000:04:00.0", interface: ("eth3", "0x2", "down"))
        let error = #expect(throws: BindError.self) { try machine.binding().bind([a, pci("0000:04:00.0")], options) }
        #expect(error?.description.contains("no file in /dev/vfio") == true, "\(String(describing: error))")
        #expect(driver(machine) == "e1000e" && driver(machine, "0000:04:00.0") == "e1000e")
        #expect(machine.read("run/unic/driver-of-0000:01:00.0") == nil && machine.read("run/unic/driver-of-0000:04:00.0") == nil)
    }

    @Test func whatCannotBeUndoneIsTold() throws {
        let machine = try machine()
        machine.refuse("vfio-pci", .invalidArgument)
        machine.refuse("e1000e", .noSuchAddressOrDevice)
        let error = #expect(throws: BindError.self) { try machine.binding().bind([a]) }
        #expect(error?.description.contains("Undoing it failed") == true && error?.description.contains("unic list") == true)
        #expect(machine.read("run/unic/driver-of-0000:01:00.0") != nil, "unbind needs it to try again")
    }

    @Test func aNICInUseIsNotTakenAway() throws {
        let machine = try machine()
        _ = try machine.binding().bind([a])
        try machine.write("proc/41/comm", "mpirank\n")
        try machine.makeDirectory("proc/41/fd")
        try machine.link("proc/41/fd/5", to: "\(machine.root)/dev/vfio/7")
        let error = #expect(throws: BindError.self) { try machine.binding().unbind([a]) }
        #expect(error?.description.contains("mpirank (pid 41)") == true && driver(machine) == "vfio-pci")
        #expect(try machine.binding().unbind([a], force: true).first?.driver == "e1000e")
    }

    @Test func withoutAnIOMMUNothingIsTouchedUnlessTheModeForThatIsOn() throws {
        let machine = try FakeMachine()
        try machine.loadVFIO()
        try machine.add("0000:01:00.0", interface: ("eth0", "0x1002", "down"))
        let error = #expect(throws: BindError.self) { try machine.binding().bind([a]) }
        #expect(error?.description.contains("no IOMMU") == true && machine.writes.isEmpty)
        try machine.write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n")
        #expect(try machine.binding().bind([a]).first?.driver == "vfio-pci")
    }

    @Test func aMissingDriverIsLoadedOrToldWithModprobesWords() throws {
        let machine = try machine()
        machine.remove("sys/bus/pci/drivers/vfio-pci")
        let error = #expect(throws: BindError.self) { try machine.binding { "Module \($0) not found" }.bind([a]) }
        #expect(error?.description.contains("Module vfio-pci not found") == true && machine.writes.isEmpty)
        let loads: @Sendable (String) -> String? = { name in
            try? machine.makeDirectory("sys/bus/pci/drivers/\(name)")
            return nil
        }
        #expect(try machine.binding(loadModule: loads).bind([a]).first?.driver == "vfio-pci")
    }

    @Test(arguments: ["../../../etc", "", "-", "a b", "vfio-pci\n", String(repeating: "a", count: 65)])
    func aDriversNameIsNoPath(_ name: String) throws {
        let machine = try machine()
        var options = DriverBinding.Options()
        options.driver = name
        #expect(throws: BindError.self) { try machine.binding().bind([a], options) }
        #expect(machine.writes.isEmpty)
    }

    @Test func whatIsNotThereIsNamed() throws {
        let machine = try machine()
        for attempt in [
            { _ = try machine.binding().bind([pci("0000:09:00.0")]) }, { _ = try machine.binding().unbind([pci("0000:09:00.0")]) },
        ] {
            let error = #expect(throws: BindError.self) { try attempt() }
            #expect(error?.description.contains("0000:09:00.0") == true)
        }
    }

    @Test func siblingsThatHoldTheGroupAndTheOwnersNeedsAreTold() throws {
        let machine = try machine()
        try machine.add("0000:01:00.1", group: "7", interface: ("eth9", "0x1002", "down"))
        let owner = UserAccount(name: "me", identifier: effectiveUser)
        var options = DriverBinding.Options()
        options.owner = owner
        let outcomes = try machine.binding().bind([a], options)
        let lines = BindAdvice.lines(outcomes, owner: owner, facts: machine.facts)
        #expect(lines.count == 2)
        #expect(lines.first?.contains("0000:01:00.1 (e1000e)") == true && lines.first?.contains("unic bind 0000:01:00.1") == true)
        #expect(lines.last?.contains("memlock") == true)
        #expect(BindAdvice.lines(try machine.binding().bind([b]), owner: nil, facts: machine.facts).isEmpty)
    }
}

@Suite struct BindingRecordTests {
    @Test(arguments: [
        BindingRecord(driver: "e1000e", override: nil), BindingRecord(driver: nil, override: "vfio-pci"),
        BindingRecord(driver: nil, override: nil),
    ])
    func whatIsWrittenIsReadBack(_ record: BindingRecord) { #expect(BindingRecord(record.text) == record) }

    @Test(arguments: [
        "", "driver e1000e\n", "driver ../x\noverride -\n", "driver a b\noverride -\n", "override -\ndriver -\n", "driver -\noverride",
    ])
    func anythingElseIsNoRecord(_ text: String) { #expect(BindingRecord(text) == nil) }
}
