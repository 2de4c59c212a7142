public import DeviceAccess
public import DeviceMemory
import LinuxIO

extension VfioUserDevice {
    public func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else {
            throw .protocolViolation(device: url, reason: "\(memory.byteCount) bytes at \(iova) run past the end of the address space")
        }
        let message = DMAMapMessage(access: access, fileOffset: UInt64(memory.fileOffset), range: range)
        switch try connection.request(.dmaMap, message.emit(), descriptors: [memory.file.number]) {
        case .success(let answer):
            guard answer.payload.isEmpty else { throw connection.violation("its reply to \(Command.dmaMap.name) has a payload") }
        case .failure(let cause):
            throw .mapDMA(device: url, range: range, reason: "the server refused it: \(cause.errno)", fix: "Its log says why.")
        }
    }

    /// The server answers once nothing of it uses the memory any more ("VFIO_USER_DMA_UNMAP").
    public func unmap(_ range: IOVARange) throws(DeviceError) {
        switch try connection.request(.dmaUnmap, DMAUnmapMessage(range: range).emit()) {
        case .success(let answer):
            // libvfio-user's servers answer with the entry, as the text says; others send nothing.
            guard answer.payload.count <= DMAUnmapMessage.byteCount else {
                throw connection.violation("its reply to \(Command.dmaUnmap.name) is too long")
            }
        case .failure(let cause):
            throw .unmapDMA(device: url, range: range, reason: "the server refused it: \(cause.errno)")
        }
    }
}
