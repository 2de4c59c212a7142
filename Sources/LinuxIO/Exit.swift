import Glibc

/// Ends the process, standard output flushed.
public func exitProcess(_ code: Int32) -> Never { exit(code) }
