import Foundation
import LabKit
import Testing

/// `unic list`, `bind`, `unbind` and `doctor` on machines that differ in what they have. What doctor prints as a fix is run,
/// and the problem must be gone.
@Suite(.serialized) struct HostSetupTests {
    private let ports = [NIC.e1000e.address(ofPort: 0), NIC.e1000e.address(ofPort: 1)]

    private func guest() throws -> Guest {
        let folder = try #require(Binaries.folder, "UNIC_BIN names no folder; run `make test`")
        var guest = Guest()
        guest.programs = ["\(folder)/unic"]
        guest.bindsPorts = false
        return guest
    }

    /// For bash: `cure` runs the first fix that doctor prints under a PROBLEM, and looks again, until a NIC is ready.
    /// `says WORDS` and `refuses COMMAND` stop the script if it is not so.
    private let tools = """
        first_fix() { sed -n '/^PROBLEM/{n;s/^ *fix: //p}' | sed -n 1p; }
        cure() {
            local round fix
            for round in 1 2 3 4 5 6; do
                unic doctor >/tmp/doctor && return
                fix=$(first_fix </tmp/doctor)
                [ -n "$fix" ] || { cat /tmp/doctor; return 1; }
                echo "fix: $fix"
                sh -c "$fix"
                ! unic doctor | grep -qF "fix: $fix" || { echo "the fix fixed nothing"; return 1; }
            done
            return 1
        }
        says() { grep -qF -- "$1" /tmp/said || { echo "not said: $1"; cat /tmp/said; exit 1; }; }
        run() { "$@" >/tmp/said 2>&1; }
        refuses() { ! run "$@" || { echo "not refused: $*"; cat /tmp/said; exit 1; }; }

        """

    private func run(_ guest: Guest, _ script: String, seconds: Int = 400) throws -> GuestRun {
        let run = try guest.run(tools + script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending)\n\(run.output.suffix(4000))\n\(run.errorOutput.suffix(3000))")
        return run
    }

    /// Debian's kernel, modules and all, with an Intel IOMMU.
    @Test func aGuestWithEverythingGetsThereByTheFixesAlone() throws {
        var guest = try guest()
        guest.hugepageCount = 0
        let run = try run(
            guest,
            """
            rmmod vfio-pci vfio_iommu_type1
            refuses unic doctor
            says "vfio-pci and vfio_iommu_type1 are not loaded"
            says "0000:00:03.0 (Intel 82574L) is bound to no driver"
            cure
            run unic doctor
            says "Ready: vfio:\(ports[0]) (type1)"
            run unic doctor --device vfio:\(ports[0])
            refuses unic doctor --device \(ports[1])
            unic bind \(ports[1])
            run unic doctor
            says "Intel VT-d (dmar0)"
            says "ok      interrupt-remapping"
            says "Ready: vfio:\(ports[0]) (type1), vfio:\(ports[1]) (type1)."

            echo 8 >/sys/module/vfio_iommu_type1/parameters/dma_entry_limit
            unic doctor >/tmp/said; says "PROBLEM dma-limit"
            sh -c "$(first_fix </tmp/said)"
            run unic doctor; says "ok      dma-limit: A container may hold 65535"

            says "note    hugepages"
            sh -c "$(sed -n '/^note    hugepages/{n;s/^ *fix: //p}' /tmp/said)"
            run unic doctor; says "ok      hugepages: Pages of 2 MiB: 64 free of 64"
            unic doctor --json >/lab/results/doctor.json
            unic list --json >/lab/results/list.json
            unic pingpong --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 200 --warmup 10 --json
            """)
        #expect(run.output.contains("\"lost\":0"))
        #expect(run.output.contains("fix: modprobe vfio-pci && modprobe vfio_iommu_type1\nfix: unic bind \(ports[0])\n"))
        let doctor = try object(run, "doctor.json")
        #expect(doctor["works"] as? Bool == true)
        let backends = try #require((doctor["devices"] as? [[String: Any]])?.first?["backends"] as? [[String: Any]])
        #expect(backends.map { $0["backend"] as? String } == ["iommufd", "type1", "noiommu"])
        #expect(backends.map { $0["works"] as? Bool } == [false, true, false])
        let list = try #require(try object(run, "list.json")["devices"] as? [[String: Any]])
        #expect(list.map { $0["address"] as? String } == ports)
        #expect(list.first?["url"] as? String == "vfio:\(ports[0])")
    }

    @Test func bindKeepsOffWhatIsNeededAndUnbindBringsTheDriverBack() throws {
        let run = try run(
            try guest(),
            """
            for port in \(ports[0]) \(ports[1]); do echo $port >/sys/bus/pci/drivers_probe; done
            interface() { ls /sys/bus/pci/devices/$1/net; }
            driver() { basename "$(readlink /sys/bus/pci/devices/$1/driver)"; }
            a=\(ports[0]) b=\(ports[1])
            name=$(interface $a)

            ip link set $name up
            refuses unic bind $b $a; says "$name is up"; says "ip link set $name down"
            ip address add 10.0.0.1/24 dev $name; ip route add default via 10.0.0.2
            refuses unic bind $a; says "default route"
            run unic list; says "$name is up, link"; says "with the default route"
            ip netns add away; ip link set $name netns away
            refuses unic bind $a; says "network namespace"
            run unic list; says "no interface in this network namespace"
            [ $(driver $a) = e1000e ]; [ $(driver $b) = e1000e ]
            ip netns delete away; sleep 1

            # A driver that cannot drive it lets it go back.
            refuses unic bind --driver e1000 $b; says "e1000/bind"; says errno
            [ $(driver $b) = e1000e ]; [ "$(cat /sys/bus/pci/devices/$b/driver_override)" = "(null)" ]

            unic bind $a $b >/tmp/said; says "$a: e1000e → vfio-pci, /dev/vfio/3"
            unic bind $a >/tmp/said; says "bound to vfio-pci already"
            [ $(cat /sys/bus/pci/devices/$a/driver_override) = vfio-pci ]
            unic pingpong --server --device vfio:$a --wait 60 >/tmp/server 2>&1 &
            for _ in $(seq 100); do unic list >/tmp/said; ! grep -q "open by unic" /tmp/said || break; sleep 0.1; done
            says "open by unic (pid $!)"
            refuses unic unbind $a; says "in use by unic (pid $!)"; [ $(driver $a) = vfio-pci ]
            run unic doctor; says "in use by unic"
            kill -INT $!; wait $! || true

            unic unbind $a $b >/tmp/said; says "$b: vfio-pci → e1000e"
            unic unbind $a >/tmp/said; says "bound to e1000e already"
            [ $(driver $a) = e1000e ]; [ "$(cat /sys/bus/pci/devices/$a/driver_override)" = "(null)" ]
            [ -n "$(interface $a)" ]; [ -z "$(ls /run/unic | grep driver-of)" ]
            # Bound by somebody else: the kernel chooses.
            bind-vfio $a
            unic unbind $a; [ $(driver $a) = e1000e ]

            # The same, for programs.
            unic bind --json --owner nobody $a $b >/lab/results/bind.json; [ $(driver $b) = vfio-pci ]
            unic bind --json $a >/lab/results/again.json
            unic unbind --json $a $b >/lab/results/unbind.json; [ $(driver $b) = e1000e ]
            """)
        for (name, before, driver, changed) in [
            ("bind", "e1000e", "vfio-pci", true), ("again", "vfio-pci", "vfio-pci", false), ("unbind", "vfio-pci", "e1000e", true),
        ] {
            let told = try object(run, "\(name).json")
            let devices = try #require(told["devices"] as? [[String: Any]])
            #expect(devices.map { $0["address"] as? String } == (name == "again" ? [ports[0]] : ports), "\(name): \(told)")
            for device in devices {
                #expect(device["driver_before"] as? String == before && device["driver"] as? String == driver, "\(name): \(device)")
                #expect(device["changed"] as? Bool == changed, "\(name): \(device)")
                #expect((device["device"] as? [String: Any])?["driver"] as? String == driver, "\(name): \(device)")
            }
            let advice = try #require(told["advice"] as? [String])
            #expect(advice.contains { $0.contains("memlock") } == (name == "bind"), "\(name): \(advice)")
        }
    }

    /// Two NICs behind a conventional bridge are one group.
    @Test func aGroupIsGivenAwayWhole() throws {
        var guest = try guest()
        guest.portCounts = [:]
        guest.emulatorArguments =
            ["-device", "pcie-pci-bridge,id=conventional,addr=0x1c"]
            + (1...2).flatMap {
                ["-netdev", "hubport,id=side\($0),hubid=9", "-device", "e1000e,netdev=side\($0),bus=conventional,addr=\($0),romfile="]
            }
        _ = try run(
            guest,
            """
            a=0000:01:01.0 b=0000:01:02.0
            for port in $a $b; do [ -e /sys/bus/pci/devices/$port/driver ] || echo $port >/sys/bus/pci/drivers_probe; done
            unic bind $a >/tmp/said 2>&1; says "$b (e1000e)"; says "unic bind $b"
            refuses unic doctor; says "PROBLEM group"; says "cannot be given away"
            cure
            run unic doctor; says "Ready: vfio:$a (type1), vfio:$b (type1)"
            """)
    }

    @Test func withoutInterruptRemappingTheFixIsToTrustTheDevice() throws {
        var guest = try guest()
        guest.iommu = .virtio
        guest.allowsUnsafeInterrupts = false
        let run = try run(
            guest,
            """
            refuses unic doctor; says "virtio-iommu"; says "PROBLEM interrupt-remapping"
            unic bind \(ports[0]) \(ports[1])
            refuses unic doctor; says "Not ready: only soft: and vfio-user: work here. 1 problem, 1 with"
            refuses unic pingpong --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 10
            cure
            run unic doctor; says "vfio_iommu_type1 allows it"
            unic pingpong --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 200 --warmup 10 --json
            """)
        #expect(run.output.contains("\"lost\":0"))
    }

    /// Debian's kernel has nothing to offer there; what doctor says to do is outside of the guest.
    @Test func withoutAnIOMMUDebiansKernelHasModelsOnly() throws {
        var guest = try guest()
        guest.iommu = .none
        _ = try run(
            guest,
            """
            refuses unic doctor; says "PROBLEM iommu: There is no IOMMU"; says "-device intel-iommu,intremap=on"
            says "Not ready: only soft: and vfio-user: work here."
            [ -z "$(first_fix </tmp/said)" ]
            refuses unic bind \(ports[0]); says "no IOMMU"
            unic pingpong --sizes 64 --count 100 --json >/tmp/said; says '"lost":0'
            """)
    }

    @Test func anIOMMUThatTheCommandLineTurnsOffIsTurnedOnInGRUB() throws {
        var guest = try guest()
        guest.kernelArguments = "intel_iommu=off"
        _ = try run(
            guest,
            """
            refuses unic doctor; says "An IOMMU is there (ACPI DMAR)"; says "intel_iommu=off turns it off"
            # The guest has no boot loader: a file of settings, and programs that say that they were called.
            echo 'GRUB_CMDLINE_LINUX="quiet intel_iommu=off"' >/etc/default/grub
            mkdir /tmp/bin; export PATH=/tmp/bin:$PATH
            for program in update-grub reboot; do
                printf '#!/bin/sh\\necho %s >>/tmp/called\\n' $program >/tmp/bin/$program; chmod +x /tmp/bin/$program
            done
            refuses unic doctor
            sh -c "$(first_fix </tmp/said)"
            [ "$(cat /etc/default/grub)" = 'GRUB_CMDLINE_LINUX="intel_iommu=on quiet "' ]
            [ "$(tr '\\n' ' ' </tmp/called)" = "update-grub reboot " ]
            """)
    }

    /// The small kernel knows VFIO without an IOMMU.
    @Test func withoutAnIOMMUTheFixesLeadToNoIOMMUMode() throws {
        var guest = try guest()
        guest.kernel = .small
        guest.iommu = .none
        let run = try run(
            guest,
            """
            for port in \(ports[0]) \(ports[1]); do [ -e /sys/bus/pci/devices/$port/driver ] || echo $port >/sys/bus/pci/drivers_probe; done
            cure
            run unic doctor
            says "Ready: vfio:\(ports[0])?iommu=noiommu (noiommu, in which the device reaches all of memory)"
            says "no-iommu: vfio's no-IOMMU mode is on; the kernel is tainted by its use"
            unic bind \(ports[1])
            unic pingpong --device vfio:\(ports[0])?iommu=noiommu --device vfio:\(ports[1])?iommu=noiommu --sizes 64 --count 100 --json
            """)
        #expect(run.output.contains("\"lost\":0"))
        #expect(run.output.contains("fix: echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode\nfix: unic bind \(ports[0])"))
    }

    /// The user who has nothing but the files that `bind --owner` gives, and a limit of locked memory.
    @Test func aPlainUserRunsPingPongOnWhatBindGaveThem() throws {
        var guest = try guest()
        guest.kernel = .small
        let run = try run(
            guest,
            """
            for port in \(ports[0]) \(ports[1]); do [ -e /sys/bus/pci/devices/$port/driver ] || echo $port >/sys/bus/pci/drivers_probe; done
            unic bind \(ports[0]) \(ports[1])
            chmod 755 /tmp
            cat >/tmp/user.sh <<'END'
            cd /tmp/user
            unic doctor >closed && exit 1
            sed -n '/^PROBLEM/{n;s/^ *fix: //p}' closed >fixes.part; mv fixes.part fixes
            for _ in $(seq 300); do [ ! -e done ] || break; sleep 0.1; done
            unic doctor || exit 2
            ulimit -l
            unic pingpong --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64,1518 --count 200 --warmup 10 --json
            END
            mkdir /tmp/user; chown 65534 /tmp/user
            (ulimit -l 64; exec setpriv --reuid=65534 --regid=65534 --clear-groups bash /tmp/user.sh) >/tmp/user.out 2>&1 &
            user=$!
            for _ in $(seq 300); do [ ! -e /tmp/user/fixes ] || break; sleep 0.1; done
            cat /tmp/user/fixes
            while read -r fix; do sh -c "$fix"; done </tmp/user/fixes
            touch /tmp/user/done
            wait $user || { cat /tmp/user.out; exit 1; }
            cat /tmp/user.out

            unic unbind \(ports[0]) \(ports[1]); unic bind --owner nobody \(ports[0]) \(ports[1]) 2>/tmp/said
            says "memlock"; says "/dev/iommu"
            [ "$(stat -c %U /dev/vfio/devices/* | sort -u)" = nobody ]
            for group in 3 4; do [ "$(stat -c %U /dev/vfio/$group)" = nobody ]; done
            chown nobody /dev/iommu
            (ulimit -l 65536; exec setpriv --reuid=65534 --regid=65534 --clear-groups unic pingpong \\
                --device vfio:\(ports[0])?iommu=iommufd --device vfio:\(ports[1])?iommu=iommufd --sizes 64 --count 200 --warmup 10 --json) \\
                >/lab/results/iommufd.json
            """)
        #expect(run.output.contains("chown nobody /dev/vfio/") && run.output.contains("prlimit --pid "), "\(run.output)")
        #expect(run.output.contains("\"lost\":0"), "\(run.output)")
        let second = try object(run, "iommufd.json")
        #expect(second["lost"] as? Int == 0 && second["corrupt"] as? Int == 0, "\(second)")
        #expect((second["results"] as? [[String: Any]])?.map { $0["count"] as? Int } == [200], "\(second)")
    }

    @Test func virtualFunctionsComeByDoctorsNote() throws {
        var guest = try guest()
        guest.emulator = .backports
        guest.kernel = .small
        guest.portCounts = [.igb: 1]
        let physical = NIC.igb.address(ofPort: 0)
        _ = try run(
            guest,
            """
            [ -e /sys/bus/pci/devices/\(physical)/driver ] || echo \(physical) >/sys/bus/pci/drivers_probe
            refuses unic doctor; says "has 0 of"; says "sriov_numvfs"
            sh -c "$(sed -n '/sr-iov:/{n;s/^ *fix: //p}' /tmp/said)"
            run unic doctor || true; says "is a virtual function of \(physical)"
            run unic list; says "2 of "; says "a virtual function of \(physical)"
            unic unbind \(NIC.address(ofVirtualFunction: 0)) >/tmp/said
            ip link
            cure
            run unic doctor; says "Ready: vfio:\(NIC.address(ofVirtualFunction: 0))"
            """)
    }

    private func object(_ run: GuestRun, _ name: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(run.file(name).utf8)) as? [String: Any])
    }
}
