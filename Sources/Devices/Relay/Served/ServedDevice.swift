import DeviceAccess
import DeviceMemory
import HostBack
import VfioUser

extension VfioUserDevice: HostFunction {}

/// The other server, for the thread that maps memory there.
final class ServedDevice: MappingServer, @unchecked Sendable {
    // Calls of these four may come from any thread; nobody reconnects it.
    private let device: VfioUserDevice

    init(_ device: VfioUserDevice) { self.device = device }

    func map(_ piece: FilePiece) throws(DeviceError) { try device.map(piece) }
    func unmap(_ ranges: [IOVARange]) throws(DeviceError) { try device.unmapPieces(ranges) }
    func checkPresence() throws(DeviceError) { try device.checkPresence() }
    func hangUp(_ reason: String) { device.hangUp(reason) }
}
