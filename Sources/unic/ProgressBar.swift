import LinuxIO
import PingPong

/// A line on the terminal that shows how far a run is, drawn by a thread of its own ten times a second.
final class ProgressBar {
    private let ended = StopFlag()
    private var thread: WorkerThread<Void>?

    init(total: Int, progress: PingPongProgress, isShown: Bool) {
        guard isShown else { return }
        let ended = self.ended
        // Without a thread there is no bar, and nothing else is lost.
        thread = try? WorkerThread {
            while !ended.isRaised {
                StandardStream.error.write("\r" + Self.line(done: progress.done, total: total, size: progress.size))
                sleep(milliseconds: 100)
            }
            StandardStream.error.write("\r\u{1B}[K")
        }
    }

    /// Wipes the line.
    func finish() {
        ended.raise()
        thread.take()?.join()
    }

    static func line(done: Int, total: Int, size: Int) -> String {
        let width = 30
        let full = total > 0 ? min(width, done * width / total) : 0
        let percent = total > 0 ? min(100, done * 100 / total) : 0
        let what = size == 0 ? "looking for the server" : "\(size) B"
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: width - full) + "] \(percent) %  \(what)\u{1B}[K"
    }
}
