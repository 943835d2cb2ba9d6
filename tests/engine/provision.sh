#!/bin/sh
# provision.sh CACHE
#
# Puts the trees of the engines into the folder CACHE, one for each Debian release, where they stay for later runs. Runs as
# root, in a mount namespace of its own (see guard.sh), so that debootstrap leaves no mount behind. A tree is built aside
# and gets its name last: what an interrupted run left is removed. CACHELANE_ENGINE_MIRROR names another Debian mirror.
set -eu
cache=$1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# tree RELEASE PACKAGE...
tree() {
    release=$1 marker="$cache/$1/complete"
    shift
    [ "$(cat "$marker" 2>/dev/null)" != "$*" ] || return 0
    partial="$cache/$release.partial"
    rm -rf "$partial" "$cache/$release"
    # shellcheck disable=SC2086
    debootstrap --variant=minbase "$release" "$partial" ${CACHELANE_ENGINE_MIRROR:-}
    # No package may start a service.
    printf '#!/bin/sh\nexit 101\n' >"$partial/usr/sbin/policy-rc.d"
    chmod +x "$partial/usr/sbin/policy-rc.d"
    chroot "$partial" apt-get install --yes --no-install-recommends "$@"
    chroot "$partial" apt-get clean
    mkdir -p "$partial/etc/docker"
    echo "$*" >"$partial/complete"
    mv "$partial" "$cache/$release"
}

mkdir -p "$cache"
exec 7>"$cache/provision.lock"
flock 7
mount --make-rprivate /
if ! command -v debootstrap >/dev/null; then
    # Of an apt-get that was killed.
    dpkg --configure -a
    apt-get update
    apt-get install --yes --no-install-recommends debootstrap
fi
tree bookworm docker.io busybox-static 7>&- &
bookworm=$!
tree trixie docker.io docker-cli docker-buildx busybox-static 7>&- &
trixie=$!
wait "$bookworm"
wait "$trixie"
