import DeviceAccess
import IOMMURelay
import LinuxIO
import SystemPackage

// What the kernel's errors mean to a guest's driver.

extension HostMapperError {
    init(_ refusal: HostMapRefusal) {
        self.init(refusal.cause.errno, "\(refusal)")
    }

    /// Of a call that moves a device.
    init(_ error: DeviceError) {
        guard let errno = error.errno else {
            self = .failed("\(error)")
            return
        }
        self.init(errno, "\(error)")
    }

    private init(_ errno: Errno, _ reason: String) {
        switch errno {
        case .noMemory, .noSpace: self = .noMemory(reason)
        case .invalidArgument, .outOfRange, .fileExists, .addressInUse, .overflow: self = .notMappable(reason)
        default: self = .failed(reason)
        }
    }
}

extension DeviceError {
    /// Of the system call that failed, if one did.
    var errno: Errno? {
        if case .systemCall(_, _, let cause, _) = self { cause.errno } else { nil }
    }
}
