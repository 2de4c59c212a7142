import Foundation
import LabKit
import LinuxIO
import Testing

/// Unmodified Open MPI in guests, a NIC function a rank: the programs check every byte that they receive.
@Suite(.serialized) struct MPIInGuestTests {
    /// Virtual functions of an 82576 behind VT-d, as a cluster's nodes have them: two ranks, then four on two processors.
    @Test func eachRankHasAVirtualFunction() throws {
        var guest = Guest()
        guest.emulator = .backports
        guest.portCounts = [.igb: 1]
        guest.processorCount = 2
        let run = try MPIGuest(guest).run(
            """
            functions=$(make-vfs --count 4 \(NIC.igb.address(ofPort: 0)))
            bind-vfio $functions
            UNIC_DEVICES=$(printf 'vfio:%s ' $functions)
            export UNIC_DEVICES
            job 2 messages >/lab/results/two
            job 4 collectives --oversubscribe >/lab/results/four
            """, seconds: 400)
        #expect(run.ending == .exited(0), "\(run.output) \(run.errorOutput)")
        try expectJob(run.file("two"), program: "messages", ranks: 2)
        try expectJob(run.file("four"), program: "collectives", ranks: 4)
    }

    /// The whole way: the guest has no IOMMU but the relay's, and its VFIO exists through that.
    @Test func ranksRunOnVFIOThatExistsThroughTheRelay() throws {
        let relayed = try RelayedGuest(.debian)
        var guest = relayed.guest
        guest.processorCount = 2
        let devices = relayed.addresses.map { "vfio:\($0)" }.joined(separator: " ")
        let run = try MPIGuest(guest).run(
            """
            bind-vfio \(relayed.addresses.joined(separator: " "))
            export UNIC_DEVICES='\(devices)'
            job 2 messages >/lab/results/two
            """, seconds: 300)
        #expect(run.ending == .exited(0), "\(run.output) \(run.errorOutput)")
        try expectJob(run.file("two"), program: "messages", ranks: 2)
    }

    /// Two machines: a guest each, a rank each, one wire between them. The launcher reaches the other guest over the kernel's
    /// driver of a second port, the messages go by the first.
    @Test func twoGuestsHaveARankEach() throws {
        let socket = NSTemporaryDirectory() + "unic-wire-\(UUID().uuidString)"
        // SAFETY: the path lives for the call.
        defer { unsafe unlink(socket) }
        let prepare = """
            bind-vfio 0000:00:03.0
            interface=$(bind-vfio --interface 0000:00:04.0)
            ip link set "$interface" up
            printf '198.18.7.1 first\\n198.18.7.2 second\\n' >>/etc/hosts

            """
        var far = try MPIGuest(Guest())
        far.guest.wire = .listen(socket)
        far.guest.bindsPorts = false
        let second = try far.start(
            prepare + """
                hostname second
                ip address add 198.18.7.2/24 dev "$interface"
                remote-shell --serve &
                touch /lab/results/serving
                until [ -e /lab/results/done ]; do sleep 0.1; done
                """, seconds: 400)
        try #require(second.wait(for: "serving", seconds: 200))
        var near = try MPIGuest(Guest())
        near.guest.wire = .connect(socket)
        near.guest.bindsPorts = false
        // The programs lie at one path in both.
        near.guest.sharedDirectories = far.guest.sharedDirectories
        let script =
            far.tools + prepare + """
                hostname first
                ip address add 198.18.7.1/24 dev "$interface"
                for _ in $(seq 100); do ! ping -c 1 -W 1 second >/dev/null || break; done
                export UNIC_DEVICES=vfio:0000:00:03.0
                job 2 messages --host first:1,second:1 --prtemca plm_ssh_agent /lab/control/remote-shell \\
                    --prtemca prte_if_include 198.18.7.0/24 >/lab/results/two
                """
        let first = try near.guest.run(script, timeLimitSeconds: 300)
        try second.leave("done")
        let other = try second.finish()
        #expect(first.ending == .exited(0), "\(first.output) \(first.errorOutput) \(other.output) \(other.errorOutput)")
        #expect(other.ending == .exited(0))
        try expectJob(first.file("two"), program: "messages", ranks: 2)
    }
}
