import LinuxIO
import Testing

@testable import Devices

@Suite struct MPILaunchTests {
    @Test func theProcessBehindThePMISocketStandsForTheJob() throws {
        let pair = try UnixSocketPair()
        // Both ends are this process's own.
        let number = pair.first.number
        #expect(MPILaunch.servedJob(by: "\(number)") == "pmi-\(processIdentifier)")
    }

    @Test func whatIsNoSocketStandsForNone() throws {
        let event = try EventFD()
        for text in [nil, "", "x", "-1", "99999999999", "\(event.number)"] { #expect(MPILaunch.servedJob(by: text) == nil) }
    }
}
