import CVerbs
import LinuxIO

/// Where completion events wait (ibv_create_comp_channel(3)): a pipe, so that programs can poll its descriptor. An event is the
/// number of a completion queue: one that is gone meanwhile is passed over.
@safe struct CompletionChannel: ~Copyable {
    var view: ibv_comp_channel
    let adapter: VerbsObject<Adapter>
    let pipe: EventPipe

    func notify(_ number: UInt64) { pipe.write(number) }
}
