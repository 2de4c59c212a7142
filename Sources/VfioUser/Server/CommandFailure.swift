import LinuxIO
import SystemPackage

/// A command that is answered with an error: the errno goes to the client, the reason into our log.
struct CommandFailure: Error {
    let errno: Errno
    let reason: String

    init(_ errno: Errno, _ reason: String) {
        self.errno = errno
        self.reason = reason
    }

    init(_ error: MessageError) { self.init(.invalidArgument, error.description) }
    init(_ error: SystemCallError) { self.init(error.errno, error.description) }
}

/// A parse whose failure is the answer EINVAL.
func answering<Message>(_ parse: () throws(MessageError) -> Message) throws(CommandFailure) -> Message {
    do throws(MessageError) { return try parse() } catch { throw CommandFailure(error) }
}
