import DeviceAccess
import DeviceMemory
import DeviceModel
import Devices
import NicDriver
import NicModels
import SoftDevice

// Moves packets through two ports of a family on one thread, batch 32, so that callgrind can count the driver's hot
// functions alone. The device is the family's model; its work is outside of the counted functions.
//
//     hot-path FAMILY [BATCHES]    prints: family batches packets

/// Opens a model on each end of a cable, and the family's driver on each model.
func ports<Model: DeviceModel & ~Copyable>(
    _ description: FunctionDescription, _ model: (CableWire, UInt64, DeviceEnvironment) throws -> Model
) throws -> (sender: any QueuePair, receiver: any QueuePair, keep: [any Port]) {
    let (left, right) = try CableWire.pair()
    var options = PortOptions()
    options.memory = .ordinaryPages
    let devices = try [(left, UInt64(1)), (right, 2)].map { (wire, number) in
        let environment = try DeviceEnvironment(for: description)
        return SoftDevice(
            url: "soft:hot-path", environment: environment, model: try model(wire, 0x02_00_00_00_00_00 + number, environment))
    }
    let ports = try devices.map { try Devices.openPort(on: $0, options: options) }
    return (ports[0].queuePairs[0], ports[1].queuePairs[0], ports)
}

func virtioNetPorts(isPacked: Bool) throws -> (sender: any QueuePair, receiver: any QueuePair, keep: [any Port]) {
    let options = VirtioNetOptions(offersPackedRings: isPacked)
    return try ports(VirtioNetModel<CableWire>.functionDescription(options)) {
        try VirtioNetModel(wire: $0, macAddress: $1, options: options, environment: $2)
    }
}

let family = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "e1000e"
let rounds = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 2000 : 2000
let pair =
    switch family {
    case "e1000e":
        try ports(E1000EModel<CableWire>.functionDescription) { try E1000EModel(wire: $0, macAddress: $1, environment: $2) }
    case "igbvf":
        try ports(IgbvfModel<CableWire>.functionDescription) { try IgbvfModel(wire: $0, macAddress: $1, environment: $2) }
    case "virtio-net": try virtioNetPorts(isPacked: false)
    case "virtio-net-packed": try virtioNetPorts(isPacked: true)
    default: fatalError("no family \(family)")
    }
try moveFrames(from: pair.sender, to: pair.receiver, source: pair.keep[0].macAddress)

func moveFrames(from sender: any QueuePair, to receiver: any QueuePair, source: MACAddress) throws {
    let batchSize = 32
    var outgoing = sender.makeBatch(capacity: batchSize)
    var incoming = receiver.makeBatch(capacity: batchSize)
    // IPv4 and UDP, as MPI's frames: the receive path looks at the checksum bits. RFC 791 §3.1; UDP without a checksum, RFC 768.
    let ip: [UInt8] = [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0xee, 0x97, 198, 18, 0, 1, 198, 18, 0, 2]
    let header = MACAddress.broadcast.bytes + source.bytes + [0x08, 0x00] + ip + [0x13, 0x88, 0x13, 0x89, 0, 26, 0, 0]
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
}
