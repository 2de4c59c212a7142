# Sourced by the scripts that run MPI programs over unic: how each MPI is started, and the proof that unic carried its messages. They
# set `bin`, the folder of libunic-fi.so, and `name`, their own.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$name: $*" >&2; exit 1; }
say() { printf '== %s\n' "$*"; }
export FI_PROVIDER_PATH=$bin
# Only Open MPI's own users' rule: in a container one is root.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
# The folder that an MPI's programs are in. Other MPIs than this machine's are added by those who fetch them.
declare -A mpi_bin=([openmpi4]=/usr/bin)
# More words for Open MPI's mpirun, and how many seconds a job may take.
mca=() limit=300
# Where ranks write their counters, each to a file with its number behind it.
report=$work/report

# MPI, way, ranks, program... : becomes the launcher, to be called in a subshell. MPI is openmpi4, openmpi5 or mpich; the way is a provider of libfabric: unic,
# which writes its counters to $report.PROCESS, or another to compare with.
launch() {
    local mpi=$1 way=$2 ranks=$3 home=${mpi_bin[$1]} include
    shift 3
    # Processes that ranks start have the launcher's environment, not what -x says.
    export FI_TCP_IFACE=lo UNIC_REPORT=$report
    case $mpi in
    openmpi4) include=mtl_ofi_provider_include ;;
    openmpi5) include=opal_common_ofi_provider_include ;;
    mpich)
        # Processes of one machine shall use it, too.
        export FI_PROVIDER=$way MPIR_CVAR_CH4_NETMOD=ofi MPIR_CVAR_NOLOCAL=1
        exec timeout $limit "$home/mpiexec" -n "$ranks" "$@" ;;
    esac
    # Ranks give their processor away while they wait: this machine may have fewer than a job has ranks.
    exec timeout $limit "$home/mpirun" --oversubscribe --mca pml cm --mca mtl ofi --mca "$include" "$way" --mca btl self \
        --mca mpi_yield_when_idle 1 "${mca[@]}" -x FI_PROVIDER_PATH -x FI_TCP_IFACE -x UNIC_REPORT -n "$ranks" "$@"
}

# ranks, what: prints what the reports of the ranks sum up to; fails if one is missing, or messages are. Ranks may have started others,
# which report, too.
prove() {
    local ranks=$1 what=$2 processes sent received
    processes=$(find "$work" -name 'report.*' | wc -l)
    [ "$processes" -ge "$ranks" ] || fail "$what: $processes of $ranks ranks report to have used unic"
    sent=$(counted messages-sent) received=$(counted messages-received)
    [ "$sent" -gt 0 ] && [ "$sent" = "$received" ] || fail "$what: $sent messages were sent, $received received"
    printf '%8d messages, %d ranks: %s\n' "$sent" "$ranks" "$what"
}

# counter: its sum over all reports.
counted() {
    cat "$work"/report.* | tr ' ' '\n' | awk -F= -v counter="$1" '$1 == counter { sum += $2 } END { printf "%d", sum }'
}

# what, counters... : the wire had faults, of the kinds that these count, and no peer was given up.
lossy() {
    local what=$1 counter
    for counter in "${@:2}"; do [ "$(counted "$counter")" -gt 0 ] || fail "$what: no $counter: the wire had no faults"; done
    printf '%8d of %d frames sent again\n' "$(counted retransmitted)" "$(counted frames-sent)"
    [ "$(counted failed-peers)" = 0 ] || fail "$what: a peer was given up"
}

# MPI, ranks, program... : runs it over unic, with what it prints in $work/out, and proves that it went there.
run() {
    local mpi=$1 ranks=$2 what
    what="$(basename "$3"), $mpi"
    rm -f "$work"/report.*
    (launch "$mpi" unic "$ranks" "${@:3}") >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$what failed on $ranks ranks"; }
    prove "$ranks" "$what"
    [ "$(find "$work" -name 'report.*' | wc -l)" = "$ranks" ] || fail "$what: more processes than ranks report"
}

# port: waits until a process listens there.
wait_for_listener() {
    local name
    name=$(printf ':%04X 0*:0000 0A' "$1")
    for _ in $(seq 300); do
        if grep -qE "$name" /proc/net/tcp /proc/net/tcp6 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    return 1
}
