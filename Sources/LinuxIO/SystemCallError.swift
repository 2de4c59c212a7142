import Glibc
public import SystemPackage

/// A system call that failed: which one, on what, and why.
public struct SystemCallError: Error, Equatable, CustomStringConvertible {
    public let call: String
    public let subject: String
    public let errno: Errno

    public init(call: String, subject: String, errno: Errno) {
        self.call = call
        self.subject = subject
        self.errno = errno
    }

    public var description: String { "\(call) of \(subject) failed: \(errno) (errno \(errno.rawValue))." }
}

/// Runs a system call again while a signal interrupts it, and turns -1 into an error. The one place where `errno` is read.
@discardableResult
public func systemCall<Result: SignedInteger>(
    _ call: String, on subject: @autoclosure () -> String, _ body: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = Errno(rawValue: Glibc.errno)
        if code != .interrupted { throw SystemCallError(call: call, subject: subject(), errno: code) }
    }
}
