import LabKit
import Testing

/// A relay that is killed with -9 while its guest's frames flow, and what its guardian does then. A part of a boot, in which a guest
/// plays the host (RelayHostTests).
struct KilledRelay {
    let backends: [String]
    let ports: [String]

    /// What the guardian may take, from the kill on. Measured on the guest's clock: emulated, with both machines' load on it.
    private static let limitMicroseconds: UInt64 = 100_000

    /// With each backend in turn; then a guardian is killed; then `unic relay run` with an IOMMU for each NIC and one guardian for
    /// both, whose emulator is a script that kills the relay.
    var script: String {
        let devices = ports.map { "--device 'vfio:\($0)'" }.joined(separator: " ")
        let chosen = ports.map { "--device \"vfio:\($0)?iommu=$backend\"" }.joined(separator: " ")
        return """

            for backend in \(backends.joined(separator: " ")); do
                unic relay serve \(chosen) --directory /tmp/killed-$backend >/dev/null 2>/tmp/killed-$backend.log &
                relay=$!
                for _ in $(seq 200); do grep -q 'are served in' /tmp/killed-$backend.log && break; sleep 0.1; done
                timeout 100 relay-guest bereaved /tmp/killed-$backend $relay /tmp/killed-$backend.log \(ports.joined(separator: " ")) \
                    >/lab/results/bereaved-$backend 2>&1 || echo "failed, code $?" >>/lab/results/bereaved-$backend
                kill -9 $relay 2>/dev/null || true
                wait $relay || true
                cp /tmp/killed-$backend.log /lab/results/killed-$backend
            done
            unic relay serve \(devices) --directory /tmp/alone >/dev/null 2>/tmp/alone.log &
            relay=$!
            for _ in $(seq 200); do grep -q 'are served in' /tmp/alone.log && break; sleep 0.1; done
            for process in /proc/[0-9]*; do
                if tr '\\0' ' ' <$process/cmdline 2>/dev/null | grep -q 'relay guard'; then kill -9 ${process#/proc/}; fi
            done
            for _ in $(seq 100); do grep -q 'guardian has ended' /tmp/alone.log && break; sleep 0.1; done
            unic status /tmp/alone >/lab/results/alone
            kill $relay
            code=0
            wait $relay || code=$?
            cat /tmp/alone.log >>/lab/results/alone
            echo "code $code" >>/lab/results/alone
            cat >/tmp/emulator <<'END'
            #!/bin/sh
            for process in /proc/[0-9]*; do
                tr '\\0' ' ' <$process/cmdline 2>/dev/null | grep -q 'relay serve' && kill -9 ${process#/proc/}
            done
            exec sleep 100
            END
            chmod +x /tmp/emulator
            code=0
            timeout 60 unic relay run \(devices) --iommus 2 --directory /tmp/run -- /tmp/emulator >/lab/results/run 2>&1 || code=$?
            echo "code $code" >>/lab/results/run

            """
    }

    func expect(_ run: GuestRun) throws {
        for backend in backends {
            let client = try run.file("bereaved-\(backend)")
            let relay = try run.file("killed-\(backend)")
            let what: Comment = "\(backend): \(client) \(relay)"
            #expect(!client.lowercased().contains("failed") && !relay.contains("FAILED"), what)
            for line in ["both NICs reach what is mapped for them", "nothing reaches memory though the NICs were made bus masters again"] {
                #expect(client.contains(line), what)
            }
            let seen = try #require(Self.microseconds(in: client, before: " us after kill -9"), what)
            #expect(seen <= Self.limitMicroseconds, what)
            // Every step but the resets, which a function-level reset alone makes longer.
            let steps = relay.split(separator: "\n").filter { $0.contains("bus master off") || $0.contains("unmapped") }
            #expect(steps.count { $0.contains("bus master off") } == 2 && steps.contains { $0.contains("unmapped") }, what)
            for step in steps {
                let taken = try #require(Self.microseconds(in: String(step), before: " us after"), what)
                #expect(taken <= Self.limitMicroseconds, what)
            }
        }
        let alone = try run.file("alone")
        // On standard error and in the status, and the relay goes on until it is asked to end.
        #expect(alone.ranges(of: "the relay's guardian has ended").count == 2 && alone.hasSuffix("code 143\n"), "\(alone)")
        let text = try run.file("run")
        let reason = "the relay was killed by signal 9, so that QEMU was ended"
        #expect(text.contains(reason) && text.hasSuffix("code 1\n"), "\(text)")
        for port in ports { #expect(text.contains("guardian: \(port): reset, "), "\(text)") }
    }

    /// The number in front of a text, on its line.
    private static func microseconds(in text: String, before end: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            guard let range = line.firstRange(of: end) else { continue }
            return line[..<range.lowerBound].split(separator: " ").last.flatMap { UInt64($0) }
        }
        return nil
    }
}
