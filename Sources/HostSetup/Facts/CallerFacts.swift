import LinuxIO

/// The user who asks, and what the kernel lets them do.
public struct CallerFacts: Equatable, Sendable {
    public var user: UserAccount
    /// The process whose limits the caller's next programs inherit.
    public var shell: Int32
    /// RLIMIT_MEMLOCK in bytes, nil without a limit.
    public var lockedMemoryLimit: UInt64?
    /// CAP_IPC_LOCK: the limit does not count.
    public var mayLockAnything: Bool
    /// CAP_SYS_RAWIO, which vfio asks for in no-IOMMU mode, and CAP_SYS_ADMIN, without which pagemap hides physical addresses.
    public var mayUseNoIOMMU: Bool

    static func read(_ paths: HostPaths) -> CallerFacts {
        let capabilities = CallingProcess.effectiveCapabilities(inStatus: (try? readSmallFile("\(paths.kernel.proc)/self/status")) ?? "")
        let noIOMMU: UInt64 = 1 << 17 | 1 << 21
        let user = effectiveUser
        return CallerFacts(
            user: UserAccount.find("\(user)") ?? UserAccount(name: "\(user)", identifier: user),
            shell: CallingProcess.parentIdentifier, lockedMemoryLimit: LockedMemoryLimit.byteCount,
            mayLockAnything: capabilities & 1 << 14 != 0, mayUseNoIOMMU: capabilities & noIOMMU == noIOMMU)
    }
}
