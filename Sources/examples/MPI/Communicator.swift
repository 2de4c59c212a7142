import CMPI

/// All ranks of an MPI job, and what the examples say to each other through it. A call that fails ends the job: that is MPI's
/// default (MPI 3.1 §8.3, MPI_ERRORS_ARE_FATAL).
@safe public struct Communicator {
    private let handle: MPI_Comm
    /// Of this process, from 0 on.
    public let rank: Int
    public let count: Int

    /// Starts MPI, runs the body, ends MPI. Once in a process.
    public static func run(_ body: (Communicator) -> Void) {
        // MPI takes NULL for a program's arguments (MPI 3.1 §8.7).
        MPI_Init(nil, nil)
        body(Communicator())
        MPI_Finalize()
    }

    private init() {
        var rank: Int32 = 0
        var count: Int32 = 0
        // SAFETY: the handle of all ranks lives from MPI_Init on.
        unsafe handle = unic_mpi_world()
        // SAFETY: locals are written for the time of the calls.
        unsafe MPI_Comm_rank(handle, &rank)
        unsafe MPI_Comm_size(handle, &count)
        self.rank = Int(rank)
        self.count = Int(count)
    }

    /// Ends the job with exit code 1.
    public func abort() -> Never {
        // SAFETY: the handle is MPI's own.
        unsafe MPI_Abort(handle, 1)
        fatalError("MPI_Abort came back")
    }

    /// Seconds since some moment (MPI 3.1 §8.6).
    public static var now: Double { MPI_Wtime() }

    public func barrier() {
        // SAFETY: the handle is MPI's own.
        unsafe MPI_Barrier(handle)
    }
}

/// Messages. The tag is the same for all: the examples' messages come in order.
extension Communicator {
    private static let tag: Int32 = 1

    public func send(_ bytes: [UInt8], to rank: Int) {
        // SAFETY: the array is ours until MPI_Send returns, which then has what it needs.
        unsafe bytes.withUnsafeBytes { data in
            _ = unsafe MPI_Send(data.baseAddress, Int32(data.count), unic_mpi_byte(), Int32(rank), Self.tag, handle)
        }
    }

    /// Waits for a message that is as long as the array.
    public func receive(into bytes: inout [UInt8], from rank: Int) {
        // SAFETY: MPI writes at most as many bytes as the array has; a NULL status is MPI_STATUS_IGNORE (mpi.h).
        unsafe bytes.withUnsafeMutableBytes { data in
            _ = unsafe MPI_Recv(data.baseAddress, Int32(data.count), unic_mpi_byte(), Int32(rank), Self.tag, handle, nil)
        }
    }

    /// Sends a part of an array while another part of `target` is received.
    public func exchange(
        sending part: Range<Int>, of values: [Double], to receiver: Int, receiving place: Range<Int>, of target: inout [Double],
        from sender: Int
    ) {
        precondition(values.indices.contains(part) && target.indices.contains(place))
        // SAFETY: both ranges were checked; both arrays are ours until MPI_Sendrecv returns.
        unsafe values.withUnsafeBufferPointer { data in
            unsafe target.withUnsafeMutableBufferPointer { into in
                guard let data = data.baseAddress, let into = into.baseAddress else { return }
                _ = unsafe MPI_Sendrecv(
                    data + part.lowerBound, Int32(part.count), unic_mpi_double(), Int32(receiver), Self.tag, into + place.lowerBound,
                    Int32(place.count), unic_mpi_double(), Int32(sender), Self.tag, handle, nil)
            }
        }
    }

    /// Sends a part of an array while another part of the same array is received.
    public func exchange(
        sending part: Range<Int>, to receiver: Int, receiving place: Range<Int>, of values: inout [Double], from sender: Int
    ) {
        precondition(values.indices.contains(part) && values.indices.contains(place) && !part.overlaps(place))
        // SAFETY: both ranges were checked and have nothing in common; the array is ours until MPI_Sendrecv returns.
        unsafe values.withUnsafeMutableBufferPointer { values in
            guard let start = values.baseAddress else { return }
            _ = unsafe MPI_Sendrecv(
                start + part.lowerBound, Int32(part.count), unic_mpi_double(), Int32(receiver), Self.tag, start + place.lowerBound,
                Int32(place.count), unic_mpi_double(), Int32(sender), Self.tag, handle, nil)
        }
    }

    /// The sums of all ranks' arrays, number by number, by MPI's own means.
    public func sum(_ values: [Double]) -> [Double] {
        var sums = [Double](repeating: 0, count: values.count)
        // SAFETY: both arrays have that many numbers and are ours until MPI_Allreduce returns.
        unsafe sums.withUnsafeMutableBufferPointer { sums in
            unsafe values.withUnsafeBufferPointer { values in
                _ = unsafe MPI_Allreduce(
                    values.baseAddress, sums.baseAddress, Int32(values.count), unic_mpi_double(), unic_mpi_sum(), handle)
            }
        }
        return sums
    }
}
