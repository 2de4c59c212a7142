import Glibc
import LinuxIO
import Testing

@testable import Devices

@Suite struct EndpointLivenessTests {
    private let directory = "/dev/shm/unic-liveness-\(getpid())"

    @Test func anEndpointLivesAsLongAsItsValue() throws {
        let looker = try EndpointLiveness(key: 1 << 40, directory: directory)
        let top = UInt64.max
        do {
            let other = try EndpointLiveness(key: top, directory: directory)
            #expect(looker.isAlive(key: top))
            #expect(other.isAlive(key: 1 << 40))
            #expect(!looker.isAlive(key: top - 8))
            // One's own lock is not another's.
            #expect(!looker.isAlive(key: 1 << 40))
        }
        #expect(!looker.isAlive(key: top))
        try PrivateDirectory(path: directory).removeFile("endpoints")
        rmdir(directory)
    }
}
