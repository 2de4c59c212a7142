import CLibfabric

/// fi_trywait(3): whether a thread may sleep on objects' wait objects.
enum WaitEntry {
    static func tryWait(_ fids: UnsafeMutablePointer<UnsafeMutablePointer<fid>?>?, count: Int32) -> Int32 {
        // SAFETY: `count` objects (fi_trywait(3)), each checked by class.
        guard let fids = unsafe fids, count >= 0 else { return FabricError.invalid }
        for index in 0..<Int(count) {
            guard let queue = unsafe FabricObject<CompletionQueue>(fid: fids[index]) else { continue }
            if queue.hasSomething() { return FabricError.tryAgain }
        }
        return 0
    }
}

extension FabricObject where State == CompletionQueue {
    func hasSomething() -> Bool {
        state.lock.around {
            if state.ring.count == 0 { progress() }
            return state.ring.count > 0
        }
    }
}
