public import DeviceAccess
public import DeviceMemory
import LinuxIO

extension VfioUserDevice {
    public func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else {
            throw .protocolViolation(device: url, reason: "\(memory.byteCount) bytes at \(iova) run past the end of the address space")
        }
        let message = DMAMapMessage(access: access, fileOffset: UInt64(memory.fileOffset), range: range)
        let mapping: ClientMemory.Mapping
        do throws(SystemCallError) { mapping = ClientMemory.Mapping(message, file: try memory.file.duplicate()) } catch {
            throw .mapDMA(device: url, range: range, reason: error.description, fix: "Raise the limit of open files (ulimit -n).")
        }
        do throws(DMASpace.MapError) { try self.memory.add(mapping, window: memory.window) } catch {
            throw .mapDMA(device: url, range: range, reason: "it overlaps another mapping", fix: "Unmap that first.")
        }
        do throws(DeviceError) {
            try judge(try session.connection.request(.dmaMap, message.emit(), descriptors: [mapping.file.number]), of: mapping, session)
        } catch {
            self.memory.remove(range)
            throw error
        }
    }

    func judge(
        _ result: Result<ClientConnection.Answer, SystemCallError>, of mapping: ClientMemory.Mapping, _ session: ServerSession
    ) throws(DeviceError) {
        switch result {
        case .success(let answer):
            guard answer.payload.isEmpty else { throw session.connection.violation("its reply to \(Command.dmaMap.name) has a payload") }
        case .failure(let cause):
            throw .mapDMA(
                device: url, range: mapping.message.range, reason: "the server refused it: \(cause.errno)", fix: "Its log says why.")
        }
    }

    /// The server answers once nothing of it uses the memory any more ("VFIO_USER_DMA_UNMAP").
    public func unmap(_ range: IOVARange) throws(DeviceError) {
        // Whatever the server says, its owner may free the memory now.
        defer { memory.remove(range) }
        switch try session.connection.request(.dmaUnmap, DMAUnmapMessage(range: range).emit()) {
        case .success(let answer):
            // libvfio-user's servers answer with the entry, as the text says; others send nothing.
            guard answer.payload.count <= DMAUnmapMessage.byteCount else {
                throw session.connection.violation("its reply to \(Command.dmaUnmap.name) is too long")
            }
        case .failure(let cause):
            throw .unmapDMA(device: url, range: range, reason: "the server refused it: \(cause.errno)")
        }
    }
}
