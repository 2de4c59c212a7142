import DeviceAccess
import DeviceMemory
import LinuxIO
import NicRegisters

/// The doorbells of one queue pair that could not be mapped: cells of our own, which are sent on after each batch.
final class TrappedDoorbells {
    private let registers: RegisterFile
    private var cells: [Cell] = []

    private final class Cell {
        let offset: Int
        let memory: DMAMemory
        var sent: UInt32 = 0
        init(offset: Int, memory: consuming DMAMemory) {
            self.offset = offset
            self.memory = memory
        }
    }

    init(_ registers: RegisterFile) { self.registers = registers }

    /// A doorbell at a register: the mapped register itself, or a cell that is sent on.
    func doorbell(_ register: Register<UInt32, ReadWrite>, url: String) throws(PortError) -> Doorbell {
        if let mapped = registers.mappedDoorbell(at: register.offset) { return mapped }
        do {
            let pages = try DMAMemory.ordinary(byteCount: 4, name: "unic-doorbell")
            let window = pages.window
            cells.append(Cell(offset: register.offset, memory: pages))
            return Doorbell(window, at: 0)
        } catch {
            throw .device(.systemCall(device: url, group: nil, cause: error, fix: "Free some memory."))
        }
    }

    /// Nothing to send on: every doorbell is mapped.
    var isEmpty: Bool { cells.isEmpty }

    /// The registers are zero again, as after a reset.
    func restart() {
        for cell in cells {
            cell.memory.window.store32(0, at: 0)
            cell.sent = 0
        }
    }

    /// Writes doorbells that were rung since the last call through the seam.
    func forward() {
        for cell in cells {
            let value = cell.memory.window.load32(at: 0)
            guard value != cell.sent else { continue }
            cell.sent = value
            registers.store32(value, at: cell.offset)
        }
    }
}
