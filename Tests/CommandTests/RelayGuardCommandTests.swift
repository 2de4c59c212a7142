import Glibc
import LinuxIO
import Testing

/// `unic relay guard` as a program, in raw bytes, and what `unic relay run` says of a relay that was killed.
@Suite(.serialized) struct RelayGuardCommandTests {
    private func wait(until isTrue: () -> Bool) -> Bool {
        let deadline = Deadline(afterMilliseconds: 20_000)
        while !deadline.hasPassed {
            if isTrue() { return true }
            LinuxIO.sleep(milliseconds: 1)
        }
        return false
    }

    /// A file takes a device's place: its command register is at 0x100 + 4. It cannot be reset, which is told by the exit code.
    @Test func relayThatDiesLeavesBusMasterOffAndSignalsDoNotEndItBefore() throws {
        let file = try MemoryFile.create(name: "a device", byteCount: 4096)
        try file.write([0x07, 0x04], at: 0x104, subject: "the command register")
        let device: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Array("0000:01:00.0".utf8) + [0, 0, 0, 0]
        var guardian: ChildProcess?
        try UnixSocketPair().split { (relay: consuming UnixSocket, theirs: consuming UnixSocket) in
            let child = try ChildProcess(inOwnSession: UnicProgram.path(), arguments: ["relay", "guard"], input: theirs.number)
            guardian = child
            var byte: [UInt8] = [0]
            var none: [ReceivedDescriptor] = []
            _ = waitForEvents([PollRequest(relay.number, .readable)], timeoutMilliseconds: 20_000)
            #expect(try relay.receive(into: &byte, from: 0, byteCount: 1, descriptors: &none) == .bytes(1, descriptorsLost: false))
            #expect(byte == [1])
            #expect(getsid(child.processIdentifier) == child.processIdentifier)
            for signal in [SIGINT, SIGTERM, SIGHUP] { child.send(signal: signal) }
            #expect(try relay.send(device, descriptors: [file.number]) == 32)
            #expect(child.wait(timeoutMilliseconds: 200) == nil)
            #expect(try file.read(byteCount: 2, at: 0x104, subject: "it") == [0x07, 0x04])
        }
        // The relay's end is closed now.
        let child = try #require(guardian)
        #expect(child.wait(timeoutMilliseconds: 20_000) == .exited(1))
        #expect(try file.read(byteCount: 2, at: 0x104, subject: "it") == [0x03, 0x04])
    }

    @Test func byHandItIsOfNoUseAndSaysSo() throws {
        let run = try UnicProgram.run(["relay", "guard"])
        #expect(run.exit == .exited(2), "\(run.errors)")
    }

    @Test func helpDoesNotShowIt() throws {
        let help = try UnicProgram.run(["relay", "--help"]).output
        #expect(help.contains("serve") && !help.contains("guard "), "\(help)")
    }

    @Test func runEndsQEMUWithTheReasonWhenTheRelayIsKilled() throws {
        let directory = UnicProgram.temporaryPath("run")
        let emulator = UnicProgram.temporaryPath("emulator")
        try UnicProgram.install(script: "#!/bin/sh\necho $$ >\(emulator).pid\nexec sleep 100\n", at: emulator)
        let run = try UnicProgram.start(
            ["relay", "run", "--device", "soft:\(UnicProgram.freshWire("run"))", "--directory", directory, "--", emulator])
        #expect(wait { (try? readSmallFile("\(emulator).pid")).flatMap { Int32($0.dropLast()) } != nil })
        let sleeper = try #require(try Int32(readSmallFile("\(emulator).pid").dropLast()))
        let children = try readSmallFile("/proc/\(run.processIdentifier)/task/\(run.processIdentifier)/children")
        let relay = try #require(children.split(separator: " ").compactMap { Int32($0) }.first { $0 != sleeper })
        #expect(kill(relay, SIGKILL) == 0)
        #expect(run.wait(timeoutMilliseconds: 20_000) == .exited(1))
        #expect(run.errorText.contains("the relay was killed by signal 9, so that QEMU was ended"), "\(run.errorText)")
        #expect((try? readSmallFile("/proc/\(sleeper)/stat")) == nil, "the emulator lives on")
    }
}
