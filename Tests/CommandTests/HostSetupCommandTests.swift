import Foundation
import LinuxIO
import Testing

/// `unic list`, `bind`, `unbind` and `doctor` on the machine that runs the tests, whatever it has. Nothing is changed: NICs
/// are given away in the lab's guests only.
struct HostSetupCommandTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func listNamesEachNetworkControllerThatSysfsHas() throws {
        let folder = "/sys/bus/pci/devices"
        let expected = ((try? directoryEntryNames(folder)) ?? []).filter {
            (try? readSmallFile("\(folder)/\($0)/class"))?.hasPrefix("0x02") == true
        }
        let run = try UnicProgram.run(["list", "--json"])
        #expect(run.exit == .exited(0), "\(run.errors)")
        let devices = try #require(try object(run.output)["devices"] as? [[String: Any]])
        #expect(devices.compactMap { $0["address"] as? String } == expected)
        for device in devices { #expect(device["vfio"] is [String: Any] && device["interfaces"] is [Any] && device.keys.contains("url")) }
        let text = try UnicProgram.run(["list"])
        #expect(text.exit == .exited(0))
        for address in expected { #expect(text.output.contains("\(address)  ")) }
        let all = try #require(try object(UnicProgram.run(["list", "--all", "--json"]).output)["devices"] as? [Any])
        #expect(all.count == ((try? directoryEntryNames(folder)) ?? []).count)
    }

    @Test func doctorsVerdictItsCodeAndItsFindingsAgree() throws {
        let run = try UnicProgram.run(["doctor", "--json"])
        let all = try object(run.output)
        let works = try #require(all["works"] as? Bool)
        #expect(run.exit == .exited(works ? 0 : 1))
        let verdict = try #require(all["verdict"] as? String)
        #expect(verdict.hasPrefix(works ? "Ready: vfio:" : "Not ready: only soft: and vfio-user: work here."))
        let findings = try #require(all["findings"] as? [[String: Any]])
        let checks = Set(findings.compactMap { $0["check"] as? String })
        #expect(checks.isSuperset(of: ["iommu", "vfio", "iommufd", "memlock", "hugepages", "nic"]))
        let problems = findings.filter { $0["state"] as? String == "problem" }
        #expect(works || !problems.isEmpty)
        for problem in problems { #expect(problem["fix"] is String || problem["advice"] is String, "\(problem)") }
        // A machine whose kernel has no IOMMU is told so.
        let iommu = try #require(findings.first { $0["check"] as? String == "iommu" })
        let units = (try? directoryEntryNames("/sys/class/iommu")) ?? []
        #expect((iommu["state"] as? String == "ok") == !units.isEmpty, "\(iommu)")
        let text = try UnicProgram.run(["doctor"])
        #expect(text.exit == run.exit && text.output.hasSuffix("\(verdict)\n"))
    }

    @Test(
        arguments: [
            (["bind"], 64, "address"), (["bind", "eth0"], 64, "eth0"), (["bind", "0000:ff:1f.7"], 1, "0000:ff:1f.7"),
            (["unbind", "0000:ff:1f.7"], 1, "0000:ff:1f.7"), (["bind", "0000:ff:1f.7", "--owner", "no such user"], 1, "no such user"),
            (["bind", "0000:ff:1f.7", "--driver", "../x"], 1, "../x"), (["doctor", "--device", "soft:x"], 64, "soft:x"),
        ] as [([String], Int32, String)])
    func aWrongCallIsToldWhatIsWrong(arguments: [String], code: Int32, word: String) throws {
        let run = try UnicProgram.run(arguments)
        #expect(run.exit == .exited(code), "\(run.errors)")
        // Only root has a record of drivers: others are told that first.
        #expect(run.errors.contains(word) || (effectiveUser != 0 && run.errors.contains("as root")), "\(run.errors)")
    }

    @Test func doctorForADeviceThatIsNotThereSaysSo() throws {
        let run = try UnicProgram.run(["doctor", "--device", "vfio:0000:ff:1f.7"])
        #expect(run.exit == .exited(1) && run.output.contains("There is no PCI function 0000:ff:1f.7"))
    }
}
