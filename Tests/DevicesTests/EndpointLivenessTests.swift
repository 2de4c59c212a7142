import Foundation
import LinuxIO
import Testing

@testable import Devices

@Suite struct EndpointLivenessTests {
    private let directory = "/dev/shm/unic-liveness-\(processIdentifier)"

    @Test func anEndpointLivesAsLongAsItsValue() throws {
        let looker = try EndpointLiveness(key: 1 << 40, directory: directory)
        let top = UInt64.max
        do {
            let other = try EndpointLiveness(key: top, directory: directory)
            // In order: the other one's; one's own by the other; nobody's; one's own lock, which is not another's.
            let seen = [
                looker.isAlive(key: top), other.isAlive(key: 1 << 40), looker.isAlive(key: top - 8), looker.isAlive(key: 1 << 40),
            ]
            #expect(seen == [true, true, false, false])
        }
        let livesOn = looker.isAlive(key: top)
        #expect(!livesOn)
        try PrivateDirectory(path: directory).removeFile("endpoints")
        try FileManager.default.removeItem(atPath: directory)
    }
}
