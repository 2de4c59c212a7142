import DeviceAccess
import DeviceMemory
import DeviceModel
import NicDriver
import NicModels
import SoftDevice

// Moves packets through two ports of a family on one thread, batch 32, so that callgrind can count the drivers' hot
// functions alone. The device is the family's model; its work is outside of the counted functions.
//
//     hot-path FAMILY [BATCHES]    prints: family batches packets

let batchSize = 32
let arguments = CommandLine.arguments
let family = arguments.count > 1 ? arguments[1] : "e1000e"
let rounds = arguments.count > 2 ? Int(arguments[2]) ?? 2000 : 2000

/// The family's model on a wire, as a device.
func openDevice(on wire: CableWire, mac: UInt64) throws -> any DeviceAccess {
    let url = "soft:hot-path"
    switch family {
    case "e1000e":
        let environment = try DeviceEnvironment(for: E1000EModel<CableWire>.functionDescription)
        let model = try E1000EModel(wire: wire, macAddress: mac, environment: environment)
        return SoftDevice(url: url, environment: environment, model: model)
    case "igbvf":
        let environment = try DeviceEnvironment(for: IgbvfModel<CableWire>.functionDescription)
        let model = try IgbvfModel(wire: wire, macAddress: mac, environment: environment)
        return SoftDevice(url: url, environment: environment, model: model)
    default: throw PortError.badOption("No family \(family): give e1000e or igbvf.")
    }
}

func openPort(on wire: CableWire, mac: UInt64) throws -> any Port {
    let device = try openDevice(on: wire, mac: mac)
    var options = PortOptions()
    options.memory = .ordinaryPages
    let allocate = { (byteCount: Int) throws(PortError) in
        do { return try DMAMemory.ordinary(byteCount: byteCount) } catch { throw .noMemory(url: "soft:hot-path", reason: "\(error)") }
    }
    return family == "igbvf"
        ? try IgbvfPort(device: device, options: options, allocate: allocate)
        : try E1000EPort(device: device, options: options, allocate: allocate)
}

let (left, right) = try CableWire.pair()
let sender = try openPort(on: left, mac: 0x02_00_00_00_00_01)
let receiver = try openPort(on: right, mac: 0x02_00_00_00_00_02)
var outgoing = sender.makeBatch(capacity: batchSize)
var incoming = receiver.makeBatch(capacity: batchSize)
// IPv4 and UDP, as MPI's frames: the receive path looks at the checksum bits. RFC 791 §3.1; UDP without a checksum, RFC 768.
let ip: [UInt8] = [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0xee, 0xa8, 198, 18, 0, 1, 198, 18, 0, 2]
let header = MACAddress.broadcast.bytes + sender.macAddress.bytes + [0x08, 0x00] + ip + [0x13, 0x88, 0x13, 0x89, 0, 26, 0, 0]
var received = 0
var sent = 0
for _ in 0..<rounds {
    while outgoing.room > 0, var packet = sender.makePacket() {
        packet.byteCount = 60
        packet.window.store(header, at: 0)
        _ = outgoing.append(packet)
    }
    sent += sender.send(&outgoing)
    received += receiver.receive(into: &incoming)
    incoming.removeAll()
}
precondition(received == sent && sent == rounds * batchSize, "\(sent) sent, \(received) received")
print("\(family) \(rounds) \(received)")
