# Sourced by Lab/run: QEMU's words for the guest's IOMMU and NICs. Places on bus 0 are fixed, so that a test can name them:
#
#     03 ... 0f   e1000e
#     10 ... 13   virtio-net
#     14 ... 17   virtio-net-packed: with packed virtqueues
#     18 ... 1b   root ports with one igb each, which becomes 0000:01:00.0, 0000:02:00.0, ...
#     1c.0 ... 1c.7  root ports slot0 ... with one vfio-user device each, on the buses after those of igb
#     1d          a root port with a PCIe-to-PCI bridge, and behind that e1000e-bridged at 01, 02, ...: 0000:02:01.0, 02.0, ... if
#                 there is no igb and no vfio-user device
#     1e          a root port with one device of several functions, e1000e-functions: 0000:01:00.0, 00.1, ... or, if there are
#                 bridged ones, 0000:03:00.0, 00.1, ...
#
# The ports of a row share one hub. With more than one queue, those of virtio-net are taps on one bridge.

options=() machine=q35 iommu_words='' mac_base=52:54:00:12

# Hub 0 goes on in another guest: the one that listens is started first, the other has other Ethernet addresses.
wire_device() { # listen:SOCKET or connect:SOCKET
    local server=on
    case $1 in
    listen:?*) ;;
    connect:?*) server=off mac_base=52:54:00:22 ;;
    *) lacks "--wire wants listen:SOCKET or connect:SOCKET, not '$1'" ;;
    esac
    options+=(-netdev "stream,id=wire,server=$server,addr.type=unix,addr.path=${1#*:}" -netdev "hubport,id=wireport,hubid=0,netdev=wire")
}

iommu_device() { # kind
    case $1 in
    # The split interrupt controller is what interrupt remapping wants.
    intel) options+=(-device intel-iommu,intremap=on,caching-mode=on) machine=q35,kernel-irqchip=split iommu_words=intel_iommu=on ;;
    amd)
        options+=(-device "amd-iommu,intremap=on$([ "$emulator" = 7 ] || echo ,dma-remap=on)") # 11 translates for VFIO only then
        machine=q35,kernel-irqchip=split ;;
    virtio) options+=(-device virtio-iommu-pci,addr=1) ;;
    none) ;;
    *) lacks "there is no IOMMU '$1': intel, virtio, amd or none" ;;
    esac
}

# "e1000e:2,igb" or a number of e1000e. Adds to `addresses` what is bound to vfio-pci, and to `taps` what has to be there.
addresses='' taps=() later=()
nic_devices() { # list, queue pairs of a virtio-net port
    local list=$1 queues=$2 entry family count
    [[ "$list" =~ ^[0-9]+$ ]] && list=e1000e:$list
    for entry in ${list//,/ }; do
        family=${entry%%:*} count=1
        [[ "$entry" != *:* ]] || count=${entry#*:}
        [[ "$count" =~ ^[0-9]{1,2}$ ]] || lacks "'$entry' is no family and count, as in e1000e:2"
        case $family in
        e1000e) row e1000e 3 13 0 "$count" ;;
        virtio-net) virtio_row 16 1 "$count" "$queues" '' ;;
        virtio-net-packed) virtio_row 20 3 "$count" "$queues" ,packed=on ;;
        igb) igb_row "$count" ;;
        e1000e-bridged) bridged_row "$count" ;;
        e1000e-functions) function_row "$count" ;;
        *) lacks "there is no NIC '$family': e1000e, e1000e-bridged, e1000e-functions, igb, virtio-net or virtio-net-packed" ;;
        esac
    done
}

# Each port's name is the netdev's: port03 is the one at 03, which `filter-dump` wants to know.
row() { # device, first place, how many places, hub, count, more properties
    local i place
    [ "$5" -le "$3" ] || lacks "at most $3 ports of $1 in a row, not $5"
    for ((i = 0; i < $5; i++)); do
        place=$(printf '%02x' $(($2 + i)))
        [ "$4" = - ] || options+=(-netdev "hubport,id=port$place,hubid=$4")
        options+=(-device "$1,netdev=port$place,addr=0x$place,mac=$mac_base:34:$(printf '%02x' $((0x56 - 3 + $2 + i))),romfile=${6:-}")
        addresses+="0000:00:$place.0 "
    done
}

# Behind an IOMMU, as a device with registers of its own. A hub has one queue: more are a tap's.
virtio_row() { # first place, hub, count, queue pairs, more properties
    local i name hub=$2 more=,iommu_platform=on,disable-legacy=on$5
    if [ "$4" -gt 1 ]; then
        hub=- more+=,mq=on,vectors=$((2 * $4 + 2))
        for ((i = 0; i < $3; i++)); do
            name=port$(printf '%02x' $(($1 + i)))
            taps+=("$2:$name")
            options+=(-netdev "tap,id=$name,ifname=$name,queues=$4,vhost=off,script=no,downscript=no")
        done
    fi
    row virtio-net-pci "$1" 4 "$hub" "$3" "$more"
}

# A physical function whose virtual functions `make-vfs` makes in the guest; it is left to whoever wants it.
igb_row() { # count
    local i
    [ "$emulator" != 7 ] || lacks "igb wants --emulator 11: Debian 12's QEMU has none"
    [ "$1" -le 4 ] || lacks "at most 4 igb, not $1"
    for ((i = 0; i < $1; i++)); do
        options+=(-netdev "hubport,id=igb$i,hubid=2" -device "pcie-root-port,id=root$i,chassis=$((i + 2)),addr=0x$(printf '%x' $((0x18 + i)))")
        options+=(-device "igb,netdev=igb$i,bus=root$i,mac=$mac_base:36:$(printf '%02x' "$i"),romfile=")
    done
}

# On one conventional bus, whose bridge puts a requester id of its own in the place of theirs. Hub 0 is e1000e's, too.
bridged_row() { # count
    [ "$1" -le 8 ] || lacks "at most 8 e1000e behind the bridge, not $1"
    options+=(-device pcie-root-port,id=bridged,chassis=64,addr=0x1d -device pcie-pci-bridge,id=bridge,bus=bridged)
    neighbours bridged bridge "$1" 1 0 37
}

# Functions of one PCIe device, that have no access control between them.
function_row() { # count
    [ "$1" -le 8 ] || lacks "at most 8 functions in one slot, not $1"
    options+=(-device pcie-root-port,id=several,chassis=65,addr=0x1e)
    neighbours several several "$1" 0 1 38
}

# The guest's firmware numbers buses depth first, in the order of places, which is the order of the root ports here.
neighbours() { # name, bus, count, first place, 1 if functions, byte of the MAC
    local i place words
    for ((i = 0; i < $3; i++)); do
        place=$(printf '%02x.0' $(($4 + i)))
        [ "$5" = 0 ] || place=00.$i
        options+=(-netdev "hubport,id=$1$i,hubid=0")
        options+=(-device "e1000e,netdev=$1$i,bus=$2,addr=0x$place,multifunction=$([ "$5" = 1 ] && echo on || echo off),mac=$mac_base:$6:$(printf '%02x' "$i"),romfile=")
        later+=("$1 $place")
    done
}

# Where those are: behind the buses of igb and of vfio-user devices.
neighbour_addresses() {
    local entry bus before
    before=$(printf '%s\n' "${options[@]}" | grep -cE '^pcie-root-port,id=(root|slot)') || true
    for entry in "${later[@]}"; do
        bus=$((before + 1))
        case $entry in
        bridged*) bus=$((before + 2)) ;;
        several*) [[ "${options[*]}" != *id=bridge,* ]] || bus=$((before + 3)) ;;
        esac
        addresses+="$(printf '0000:%02x:%s' "$bus" "${entry#* }") "
    done
}

# Devices that other processes serve, each behind a root port of its own, so that the monitor can unplug and plug it. Their
# servers reach the guest's memory through its file.
served_devices() { # memory in MiB, socket...
    local memory=$1 i=0 socket
    shift
    [ $# -gt 0 ] || return 0
    [ "$emulator" != 7 ] || lacks "vfio-user wants --emulator 11: Debian 12's QEMU has none"
    [ $# -le 8 ] || lacks "at most 8 vfio-user devices, not $#"
    machine+=,memory-backend=memory
    options+=(-object "memory-backend-memfd,id=memory,size=${memory}M,share=on")
    for socket; do
        [[ "$socket" != *[\"\\]* ]] || lacks "a socket's path has a quote or a backslash in it: $socket"
        options+=(-device "pcie-root-port,id=slot$i,chassis=$((32 + i)),addr=0x1c.$i,multifunction=on")
        options+=(-device "{\"driver\":\"vfio-user-pci\",\"id\":\"served$i\",\"bus\":\"slot$i\",\"socket\":{\"type\":\"unix\",\"path\":\"$socket\"}}")
        i=$((i + 1))
    done
}
