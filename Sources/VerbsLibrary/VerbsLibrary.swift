// The shared library `libunic-verbs.so`: all of it is VerbsProvider, of which exports.map shows the verbs.
import VerbsProvider
