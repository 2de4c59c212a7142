import DeviceMemory
import NicRegisters

/// Receive side scaling, decoded when MRQC, RETA, RSSRK, RXCSUM or RFCTL is written: which queue a frame goes to.
/// When it is on, which headers count, and in which order: QEMU hw/net/e1000e_core.c e1000e_rss_enabled,
/// e1000e_rss_get_hash_type, e1000e_rss_parse_packet.
struct E1000ESpreading {
    private let control: E1000E.MultipleQueuesControl
    private let hash: ToeplitzHash
    /// The queue of each of the 128 entries.
    private let queues: [UInt8]

    struct Verdict {
        var queue = 0
        var hash: UInt32 = 0
        /// As the descriptor has it: 0 nothing was hashed.
        var type: UInt8 = 0
        static let none = Verdict()
    }

    /// nil when it is off: it wants MRQC's mode 1, extended descriptors, and no packet checksum in them.
    init?(_ registers: E1000ERegisterFile) {
        control = registers.read(E1000E.mrqc)
        guard control.mode == 1, registers.read(E1000E.rfctl).contains(.extendedStatus),
            registers.read(E1000E.rxcsum).contains(.packetChecksumDisable)
        else { return nil }
        func bytes(_ words: RegisterArray<UInt32, ReadWrite>) -> [UInt8] {
            (0..<words.count).flatMap { row in
                let word = registers.read(words[row])
                return (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
            }
        }
        hash = ToeplitzHash(key: bytes(E1000E.rssrk))
        queues = bytes(E1000E.reta).map { $0 >> 7 }
    }

    /// Every length is judged against the frame before it is used.
    func judge(_ frame: MemoryWindow) -> Verdict {
        guard frame.byteCount >= 34 else { return .none }
        switch frame.load16(at: 12).byteSwapped {
        case 0x0800: return judgeIPv4(frame)
        case 0x86dd: return judgeIPv6(frame)
        default: return .none
        }
    }

    /// RFC 791 §3.1: addresses at 12, protocol at 9, fragment word at 6.
    private func judgeIPv4(_ frame: MemoryWindow) -> Verdict {
        let first = frame.load8(at: 14)
        let ports = 14 + Int(first & 0xf) * 4
        guard first >> 4 == 4, ports >= 34 else { return .none }
        let isFragment = frame.load16(at: 20).byteSwapped & 0x3fff != 0
        let addresses = frame.bytes(at: 26, byteCount: 8)
        if control.contains(.tcpIPv4), !isFragment, frame.load8(at: 23) == 6, frame.byteCount >= ports + 4 {
            return verdict(addresses + frame.bytes(at: ports, byteCount: 4), type: 1)
        }
        return control.contains(.ipv4) ? verdict(addresses, type: 2) : .none
    }

    /// RFC 8200 §3: addresses at 8, next header at 6. Extension headers are not followed.
    private func judgeIPv6(_ frame: MemoryWindow) -> Verdict {
        guard frame.byteCount >= 54, frame.load8(at: 14) >> 4 == 6 else { return .none }
        let addresses = frame.bytes(at: 22, byteCount: 32)
        if control.contains(.tcpIPv6Extended), frame.load8(at: 20) == 6, frame.byteCount >= 58 {
            return verdict(addresses + frame.bytes(at: 54, byteCount: 4), type: 3)
        }
        if control.contains(.ipv6Extended) { return verdict(addresses, type: 4) }
        return control.contains(.ipv6) ? verdict(addresses, type: 5) : .none
    }

    private func verdict(_ input: [UInt8], type: UInt8) -> Verdict {
        let value = hash.hash(input)
        // 128 entries, picked by the hash's low 7 bits.
        return Verdict(queue: Int(queues[Int(value & 0x7f)]), hash: value, type: type)
    }
}
