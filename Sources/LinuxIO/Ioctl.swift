import CLinuxShims
import SystemPackage

extension OwnedDescriptor {
    /// ioctl(2) with a structure that the kernel reads and may write.
    @discardableResult
    public borrowing func ioctl<Argument: BitwiseCopyable>(
        _ request: UInt, _ argument: inout Argument, call: String, on subject: @autoclosure () -> String
    ) throws(SystemCallError) -> Int32 {
        let number = self.number
        return try systemCall(call, on: subject()) {
            // SAFETY: the structure is ours for the call and as large as the request says; the caller pairs the two.
            unsafe withUnsafeMutablePointer(to: &argument) { unsafe unic_ioctl(number, request, $0) }
        }
    }

    /// ioctl(2) with bytes of any length: structures that end in an array, `argsz` says how many.
    @discardableResult
    public borrowing func ioctl(
        _ request: UInt, bytes: inout [UInt8], call: String, on subject: @autoclosure () -> String
    ) throws(SystemCallError) -> Int32 {
        let number = self.number
        return try systemCall(call, on: subject()) {
            // SAFETY: the array is ours for the call; its own argsz field bounds what the kernel touches.
            unsafe bytes.withUnsafeMutableBytes { unsafe unic_ioctl(number, request, $0.baseAddress) }
        }
    }

    /// ioctl(2) with a number or nothing.
    @discardableResult
    public borrowing func ioctl(
        _ request: UInt, value: Int = 0, call: String, on subject: @autoclosure () -> String
    ) throws(SystemCallError) -> Int32 {
        let number = self.number
        return try systemCall(call, on: subject()) { unic_ioctl_value(number, request, value) }
    }
}
