# Sourced by Lab/image and Scripts/mpi-suites: things that are made once. They live in ~/.cache/unic under names that end in a hash
# of what they are made from, and appear there whole or not at all.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/unic
hash_of() { sha256sum | cut -c1-12; }

# Calls `$2... DIR` to fill a fresh directory, and moves that to $1 at once. One builder at a time; the others wait for it.
# What it takes the place of goes: the same thing under other hashes that nobody has asked for in a day.
build_once() {
    local target=$1 old
    shift
    touch -c "$target" 2>/dev/null || true # in use; another user's cannot be marked, and need not
    [ -d "$target" ] && return
    mkdir -p "$cache"
    [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$cache" # what needs no root is added later without it
    exec 9>"$target.lock"
    flock 9
    if [ ! -d "$target" ]; then
        rm -rf "$target".building.* # of a builder that was killed: nobody else is here
        local fresh=$target.building.$$
        mkdir "$fresh"
        "$@" "$fresh"
        mv -T "$fresh" "$target"
        while read -r old; do rm -rf "$old" "$old.lock"; done < <(
            find "$cache" -mindepth 1 -maxdepth 1 -type d -name "$(basename "${target%-*}")-????????????" -mmin +1440)
    fi
    exec 9>&-
}
