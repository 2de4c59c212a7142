public import DeviceAccess

/// What can go wrong with a port.
public enum PortError: Error, CustomStringConvertible {
    case device(DeviceError)
    /// A bounded wait for a register: what it waited for and what it saw last.
    case registerTimeout(url: String, register: String, mask: UInt32, lastValue: UInt32, milliseconds: UInt64)
    case linkDown(url: String, milliseconds: UInt64)
    case badOption(String)
    case wrongDevice(url: String, vendor: UInt16, device: UInt16)
    case noMemory(url: String, reason: String)
    /// The PF of a virtual function did not take a step of the mailbox in time.
    case mailboxTimeout(url: String, request: String, step: String, milliseconds: UInt64)
    /// The PF of a virtual function refused what it was asked for.
    case refusedByPF(url: String, request: String, fix: String)
    /// The PF of a virtual function was reset or forgot the function: nothing moves any more.
    case lostByPF(url: String, reason: String)

    public var description: String {
        switch self {
        case .device(let error): error.description
        case .registerTimeout(let url, let register, let mask, let last, let ms):
            "\(url): register \(register) did not reach the expected value under mask 0x\(String(mask, radix: 16)) within \(ms) ms (last 0x\(String(last, radix: 16)))."
        case .linkDown(let url, let ms): "\(url): no link within \(ms) ms. Check the cable, or the other end of the wire."
        case .badOption(let text): text
        case .wrongDevice(let url, let vendor, let device):
            "\(url): no driver for \(String(vendor, radix: 16)):\(String(device, radix: 16)). Supported: 8086:10d3 (Intel 82574L), 8086:10ca (Intel 82576, virtual function), 1af4:1041 and 1af4:1000 (virtio-net)."
        case .noMemory(let url, let reason): "\(url): no packet memory: \(reason)."
        case .mailboxTimeout(let url, let request, let step, let ms):
            "\(url): the PF did not \(step) within \(ms) ms (mailbox request: \(request)). Is its driver loaded and its interface up? Try ip link set PF up."
        case .refusedByPF(let url, let request, let fix): "\(url): the PF refused to \(request). \(fix)"
        case .lostByPF(let url, let reason):
            "\(url): the PF no longer serves this function: \(reason). Stop the port, and open it again when the PF is up."
        }
    }
}
