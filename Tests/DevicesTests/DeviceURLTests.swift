import Devices
import NicDriver
import Testing

struct DeviceURLTests {
    private func refusal(_ text: String, _ launch: MPILaunch = MPILaunch(localRank: nil, job: nil)) -> String? {
        do {
            _ = try DeviceURL(text, launch: launch)
            return nil
        } catch { return error.description }
    }

    @Test func partsAreSeparated() throws {
        let url = try DeviceURL("soft:lab-1?nic=e1000e&mac=02:00:00:00:00:07")
        #expect(url.scheme == .soft && url.location == "lab-1")
        #expect(url.parameters == ["nic": "e1000e", "mac": "02:00:00:00:00:07"])
        #expect(try DeviceURL("vfio:0000:01:1f.7?iommu=type1").location == "0000:01:1f.7")
        #expect(try DeviceURL("vfio-user:/run/nic 0.sock").location == "/run/nic 0.sock")
    }

    @Test(arguments: ["queues=8", "packed=on&queues=1", "packed=off", "mtu=1500&mac=02:00:00:00:00:01"])
    func virtioNetHasParametersOfItsOwn(_ parameters: String) throws {
        #expect(refusal("soft:a?nic=virtio-net&\(parameters)") == nil)
    }

    @Test(arguments: [
        "tap:unic0", "tap:a.b-c_d", "tap:fifteen-letters", "udp:127.0.0.1:1,127.0.0.1:2", "udp:0.0.0.0:4789,192.0.2.2:4789",
        "udp:[::]:1,[2001:db8::1]:65535",
    ]) func aWireIsAlsoTheKernelsOrAnotherMachines(_ wire: String) throws {
        #expect(try DeviceURL("soft:\(wire)?nic=virtio-net&queues=2").location == wire)
    }

    @Test(arguments: [
        "tap:", "tap:.", "tap:..", "tap:a/b", "tap:a%d", "tap:a b", "tap:sixteen-letters-", "tap:a:b", "udp:", "udp:,", "udp:127.0.0.1:1",
        "udp:127.0.0.1:1,", "udp:127.0.0.1:1,127.0.0.1:2,127.0.0.1:3", "udp:127.0.0.1,127.0.0.1", "udp:127.0.0.1:1,[::1]:2",
        "udp:127.0.0.1:1,0.0.0.0:2", "udp:127.0.0.1:1,224.0.0.1:2", "udp:127.0.0.1:1,255.255.255.255:2", "udp:[::1]:1,[ff02::1]:2",
        "udp:::1:1,::1:2", "udp:a:1,b:2", "udp:127.0.0.1:0,127.0.0.1:1", "TAP:a", "tcp:127.0.0.1:1,127.0.0.1:2",
    ]) func impossibleWireIsRefused(_ wire: String) throws { #expect(try #require(refusal("soft:\(wire)")).contains("soft:\(wire)")) }

    @Test(arguments: ["loss=0.01", "loss=0&seed=0", "reorder=1&duplicate=.5&corrupt=1.0", "nic=igbvf&loss=0.001&seed=18446744073709551615"])
    func aWireMayHaveFaults(_ parameters: String) { #expect(refusal("soft:a?\(parameters)") == nil) }

    @Test(arguments: [
        "loss=1.01", "loss=-0.1", "loss=1%", "loss=nan", "loss=inf", "loss=1e-3", "loss=.", "loss=0x1p-3", "reorder=2", "duplicate=a",
        "corrupt=0,1", "seed=-1", "seed=18446744073709551616", "seed=x", "seed=0.5", "drop=0.1",
    ]) func impossibleFaultsAreRefused(_ parameters: String) throws {
        let name = try #require(parameters.split(separator: "=").first)
        #expect(try #require(refusal("soft:a?\(parameters)")).contains(name))
    }

    @Test func onlyModelsWiresHaveFaults() {
        #expect(refusal("vfio-user:/a?loss=0.1") != nil)
        #expect(refusal("vfio:0000:01:00.0?loss=0.1") != nil)
    }

    @Test(arguments: ["", "soft", "Soft:a", "usb:1", ":a"]) func unknownSchemeListsTheKnownOnes(_ text: String) throws {
        let message = try #require(refusal(text))
        for known in ["soft:", "vfio-user:", "vfio:"] { #expect(message.contains(known)) }
    }

    @Test(arguments: ["soft:", "soft:.hidden", "soft:a/b", "soft:a b", "soft:é", "soft:" + String(repeating: "a", count: 65)])
    func impossibleWireNameIsRefused(_ text: String) throws { #expect(try #require(refusal(text)).contains("wire")) }

    @Test(arguments: [
        "vfio-user:", "vfio-user:relative", "vfio-user:/" + String(repeating: "a", count: 107), "vfio:", "vfio:1", "vfio:0000:01:00",
        "vfio:0000:01:00.8", "vfio:0000:01:20.0", "vfio:0000:0g:00.0", "vfio:0000:01:00.0.0",
    ]) func impossiblePathOrAddressIsRefused(_ text: String) { #expect(refusal(text) != nil) }

    @Test(arguments: [
        "soft:a?", "soft:a?nic", "soft:a?nic=", "soft:a?=x", "soft:a?nic=e1000e&", "soft:a?nic=e1000e&nic=e1000e", "soft:a?iommu=type1",
        "soft:a?mac=ff:ff:ff:ff:ff:ff", "soft:a?mac=00:00:00:00:00:00", "soft:a?mac=2:0:0:0:0:1", "vfio-user:/a?x=y",
        "vfio:0000:01:00.0?iommu=type2", "soft:a?nic=e1001", "soft:a?queues=2", "soft:a?nic=e1000e&packed=on",
        "soft:a?nic=virtio-net&queues=0", "soft:a?nic=virtio-net&queues=9", "soft:a?nic=virtio-net&queues=two",
        "soft:a?nic=virtio-net&packed=yes", "soft:a?nic=virtio-net&mtu=67", "soft:a?nic=virtio-net&mtu=9001",
    ]) func wrongParameterIsRefused(_ text: String) { #expect(refusal(text) != nil) }

    @Test func launchersValuesAreSubstituted() throws {
        let url = try DeviceURL("soft:mpi-%j-%r%r", launch: MPILaunch(localRank: "3", job: "prterun-host/17@1"))
        #expect(url.location == "mpi-prterun-host-17-1-33")
        #expect(url.description == "soft:mpi-prterun-host-17-1-33")
    }

    @Test func missingLauncherIsToldWithTheMark() throws {
        #expect(try #require(refusal("soft:mpi-%j")).contains("%j"))
        #expect(try #require(refusal("soft:mpi-%r")).contains("%r"))
    }

    @Test func openingAWrongURLThrowsItsMessage() {
        do {
            _ = try Devices.open("usb:1", options: PortOptions())
            Issue.record("it opened")
        } catch { #expect(error.description.contains("usb")) }
    }
}

struct GeneratedAddressTests {
    @Test func addressesAreUnicastLocallyAdministeredAndDistinct() {
        let all = (0..<500).map { _ in GeneratedAddress.make() }
        #expect(all.allSatisfy { $0.bytes[0] == 0x02 && !$0.isMulticast })
        #expect(Set(all).count == all.count)
    }
}
