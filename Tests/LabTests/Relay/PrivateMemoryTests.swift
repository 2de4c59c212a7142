import LabKit
import Testing

/// A QEMU whose memory is a private copy: Linux waits for its IOMMU's first answer without an end, and the host is told why.
@Suite(.serialized) struct PrivateMemoryTests {
    @Test func memoryThatIsNotSharedIsTold() throws {
        var relayed = try RelayedGuest(.small)
        relayed.guest.emulatorArguments = [
            "-object", "memory-backend-memfd,id=private,size=\(relayed.guest.memoryMebibytes)M,share=off", "-machine",
            "memory-backend=private",
        ]
        let run = try relayed.guest.run("true", timeLimitSeconds: 30)
        #expect(run.ending == .timeLimit, "\(run.ending)")
        let told = run.output + run.errorOutput
        #expect(told.contains("the guest's memory is not shared. QEMU needs share=on"), "\(told)")
    }
}
