import CLibfabric
import Glibc

/// What a call of libfabric returns when it fails: a negative errno, libfabric's own from 256 on (rdma/fi_errno.h).
enum FabricError {
    static let invalid = -EINVAL
    static let notImplemented = -ENOSYS
    static let tryAgain = -EAGAIN
    static let noDescriptor = -EMFILE
    static let busy = -EBUSY
    static let noData = -ENODATA
    static let noMemory = -ENOMEM
    static let noDevice = -ENODEV
    static let tooLong = -EMSGSIZE
    static let noEntry = -ENOENT
    static let unreachable = -EHOSTUNREACH
    static let notSupported = -EOPNOTSUPP
    static let optionUnknown = -ENOPROTOOPT
    static let inOut = -EIO
    static let timedOut = -ETIMEDOUT
    static let canceled = -ECANCELED
    static let connectionReset = -ECONNRESET
    static let noMessage = -ENOMSG
    static let noAccess = -EACCES
    static let networkDown = -ENETDOWN
    static let truncated = -Int32(FI_ETRUNC)
    static let badState = -Int32(FI_EOPBADSTATE)
    static let bufferTooSmall = -Int32(FI_ETOOSMALL)
    static let errorAvailable = -Int32(FI_EAVAIL)
    static let badFlags = -Int32(FI_EBADFLAGS)
    static let noCompletionQueue = -Int32(FI_ENOCQ)
    static let noAddressVector = -Int32(FI_ENOAV)
    static let noKey = -Int32(FI_ENOKEY)
    static let otherDomain = -Int32(FI_EDOMAIN)
}
