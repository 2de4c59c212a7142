import Devices
import NicDriver

extension PortOptions {
    /// Frames of MTU 4096 on a wire within this machine; elsewhere what every Ethernet takes, or `UNIC_MTU` bytes of an IP packet.
    static func verbs(for device: String, mtu: String?) -> PortOptions {
        var options = PortOptions()
        options.receiveRingSize = 1024
        options.transmitRingSize = 1024
        options.sparePackets = 1024
        options.publishesStatistics = true
        let local = PathMTU.bytes4096.byteCount + DatagramLayout.payload
        let wanted = mtu.flatMap { Int($0) }.map { min(max($0, 576), 9000) + 14 }
        options.maximumFrameByteCount = wanted ?? (DeviceURL.isWithinMachine(device) ? local : 1514)
        return options
    }
}

extension DeviceURL {
    /// Whether all who are on the device's wire are processes of one user on one machine (docs/wire.md).
    static func isWithinMachine(_ url: String) -> Bool {
        url.hasPrefix("soft:") && !url.hasPrefix("soft:tap:") && !url.hasPrefix("soft:udp:")
    }
}
