/// Latency between two NIC ports: a client sends a frame, a server sends it back, half of the round trip is recorded.
///
/// A reader's way: this file, then ``PingPongClient`` and ``PingPongServer`` (what goes over the wire and when),
/// ``Endpoint`` (a port, and how to wait for it), ``PingPongFrame`` and ``PayloadPattern`` (the bytes).
public import LinuxIO
public import NicDriver

public enum PingPong {
    /// Opens a port. Called on the thread that uses the port, since a port belongs to one thread.
    public typealias Opening = @Sendable () throws(PortError) -> any Port

    /// Runs until all sizes are measured, something fails, or `stop` is raised. What was measured until then is in the
    /// report, with the reason of an early end.
    /// - Parameters:
    ///   - client: opens the client's port; used in the roles `both` and `client`.
    ///   - server: opens the server's port; used in the roles `both` and `server`.
    public static func run(
        _ options: PingPongOptions, client: @escaping Opening, server: @escaping Opening, stop: StopFlag = StopFlag(),
        progress: PingPongProgress = PingPongProgress()
    ) -> PingPongReport {
        var report = PingPongReport()
        if let problem = options.problem {
            report.failure = .badOptions(problem)
            return report
        }
        let run = Run(options: options, stop: stop, progress: progress)
        do {
            switch options.role {
            case .client: report = try start(run, .client, client).join()
            case .server: report = try start(run, .server, server).join()
            case .both:
                let serving = try start(run, .server, server)
                report = try start(run, .client, client).join()
                report.merge(serving.join())
            }
        } catch {
            run.ended.raise()
            report.failure = .system(error.description)
        }
        report.wasInterrupted = stop.isRaised
        return report
    }

    /// A thread that opens its port, plays one role with it, and gives it back.
    private static func start(_ run: Run, _ role: PingPongOptions.Role, _ open: @escaping Opening) throws(SystemCallError) -> WorkerThread<
        PingPongReport
    > {
        try WorkerThread {
            var report = PingPongReport()
            do throws(PingPongError) {
                try play(run, role, open, &report)
            } catch {
                report.failure = error
            }
            run.ended.raise()
            return report
        }
    }

    private static func play(_ run: Run, _ role: PingPongOptions.Role, _ open: Opening, _ report: inout PingPongReport)
        throws(PingPongError)
    {
        if let cpu = run.cpu(of: role) {
            do { try Processor.pinCallingThread(to: cpu) } catch { throw .system(error.description) }
        }
        guard let port = try openOnceThereIsALink(run, role, open) else { return }
        var failure: PingPongError?
        do throws(PingPongError) {
            var end = try Endpoint(port: port, role: role, run: run)
            report.capture = end.capture
            if role == .client { try PingPongClient.measure(&end, &report) } else { try PingPongServer.serve(&end, &report) }
        } catch {
            failure = error
        }
        report.ports = [PortSummary(of: port, role: role)]
        do { try port.stop() } catch { failure = failure ?? .port(error) }
        if let failure { throw failure }
    }

    /// The other end may come later: a link that is down is tried again until somebody is there. nil when the run ends.
    private static func openOnceThereIsALink(
        _ run: Run, _ role: PingPongOptions.Role, _ open: Opening
    ) throws(PingPongError) -> (any Port)? {
        let options = run.options
        let milliseconds = role == .client ? options.helloTimeoutMilliseconds : options.idleTimeoutMilliseconds
        let deadline = Deadline(afterMilliseconds: options.role == .both ? 0 : milliseconds)
        while !run.shallEnd {
            do { return try open() } catch {
                guard case .linkDown = error, options.role != .both else { throw .port(error) }
            }
            if deadline.hasPassed { throw role == .client ? .noServer(milliseconds: milliseconds) : .noClient(milliseconds: milliseconds) }
        }
        return nil
    }
}

/// What the threads of one run share.
final class Run: Sendable {
    let options: PingPongOptions
    /// Raised by the user.
    let stop: StopFlag
    /// Raised by each thread when its role is over: the other has nothing to wait for.
    let ended = StopFlag()
    let progress: PingPongProgress
    let startedAt = MonotonicClock.nanoseconds()

    init(options: PingPongOptions, stop: StopFlag, progress: PingPongProgress) {
        self.options = options
        self.stop = stop
        self.progress = progress
    }

    var shallEnd: Bool { stop.isRaised || ended.isRaised }

    func cpu(of role: PingPongOptions.Role) -> Int? {
        options.role == .both && role == .server ? options.cpus.last : options.cpus.first
    }
}
