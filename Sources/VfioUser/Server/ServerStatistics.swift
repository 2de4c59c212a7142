/// What a server has done so far.
public struct ServerStatistics: Equatable, Sendable {
    public var connections: UInt64 = 0
    /// Clients that came while another one was served.
    public var refusedConnections: UInt64 = 0
    /// Connections that ended because their bytes could not be understood.
    public var brokenConnections: UInt64 = 0
    /// Commands that came at least once.
    public var messagesByCommand: [Command: UInt64] { commandCounts.byCommand }
    var commandCounts = CommandCounts()
    public var unknownMessages: UInt64 = 0
    /// Commands that were answered with an error, or dropped with one if no reply was wanted.
    public var failedCommands: UInt64 = 0
    public var resets: UInt64 = 0
    /// Interrupts that the model signalled.
    public var interrupts: UInt64 = 0
    /// DMA ranges mapped now.
    public var maps: Int = 0
    public var mappedByteCount: UInt64 = 0
    /// Files behind them.
    public var mappedFiles: Int = 0
    public var isConnected = false
    /// The last reason for a failed command or a broken connection.
    public var lastFault: String? {
        didSet { if let lastFault { faults.append(lastFault) } }
    }
    /// The last of these reasons, with their times.
    public private(set) var faults = RecentFaults()

    public init() {}

    public var messages: UInt64 { commandCounts.sum &+ unknownMessages }
}
