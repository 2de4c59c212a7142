public import DeviceAccess
public import DeviceMemory

/// Another vfio-user server, as who maps memory for its device sees it. ``ServedBack`` calls it on a thread of its own; each call
/// has a deadline.
public protocol MappingServer: AnyObject, Sendable {
    /// The server gets the file. `.systemCall`: it refused; any other error: it is of no more use.
    func map(_ piece: FilePiece) throws(DeviceError)
    /// - Parameter ranges: what one `map` mapped, each. When it returns, the server says that nothing of it uses that memory.
    func unmap(_ ranges: [IOVARange]) throws(DeviceError)
    func checkPresence() throws(DeviceError)
    /// The server gets everything back: it has to let all memory go ("Client Disconnection").
    func hangUp(_ reason: String)
}
