import CLibfabric

/// fi_trywait(3): whether a thread may sleep on objects' wait objects; and which these are.
enum WaitEntry {
    static func tryWait(_ fids: UnsafeMutablePointer<UnsafeMutablePointer<fid>?>?, count: Int32) -> Int32 {
        // SAFETY: `count` objects (fi_trywait(3)), each checked by class.
        guard let fids = unsafe fids, count >= 0 else { return FabricError.invalid }
        for index in 0..<Int(count) {
            // SAFETY: as above.
            guard let queue = unsafe FabricObject<CompletionQueue>(fid: fids[index]) else { continue }
            if !queue.mayWait() { return FabricError.tryAgain }
        }
        return 0
    }

    /// FI_GETWAIT and FI_GETWAITOBJ.
    /// - Parameter descriptor: nil: the object has none.
    static func control(
        _ command: Int32, _ argument: UnsafeMutableRawPointer?, waitObject: fi_wait_obj, descriptor: Int32?
    ) -> Int32 {
        // SAFETY: checked; what is there is as the command says.
        guard let argument = unsafe argument else { return FabricError.invalid }
        switch Int(command) {
        case Int(FI_GETWAIT):
            guard let descriptor else { return FabricError.noData }
            // SAFETY: an int (fi_cq(3), FI_GETWAIT).
            unsafe argument.storeBytes(of: descriptor, as: Int32.self)
            return 0
        case Int(FI_GETWAITOBJ):
            // SAFETY: an enum fi_wait_obj.
            unsafe argument.storeBytes(of: waitObject.rawValue, as: UInt32.self)
            return 0
        default: return FabricError.notImplemented
        }
    }
}
