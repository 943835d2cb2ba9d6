#!/bin/sh
# guard.sh LOCK STATE COMMAND...
#
# Runs COMMAND as process 1 of a process and a mount namespace of its own, with the new folder STATE to work in, for as
# long as this script's standard input stays open. When that ends (whoever holds the other end closes it, or dies in
# whatever way), or when this script gets a signal, everything in the namespaces is killed, which takes their mounts
# along; then STATE and its control groups are removed. Should this script be killed too, the kernel kills COMMAND, and
# the next run removes the files. LOCK is a file that makes sweeping up and starting exclude each other.
set -u
lock=$1 state=$2
shift 2

clear() {
    rm -rf "$1"
    find /sys/fs/cgroup -depth -type d -path "*/$(basename "$1")*" -exec rmdir {} \; 2>/dev/null
}

exec 8>"$lock"
flock 8
for old in "${state%/*}"/cachelane-engine-*; do
    [ -d "$old" ] || continue
    # A folder whose guard lives is locked.
    (flock --nonblock 9 && clear "$old") 9>"$old/lock"
done
mkdir -m 700 "$state" || exit 1
exec 9>"$state/lock"
flock 9
exec 8>&- 3<&0

# The pid that the outside knows process 1 by: /proc is still the outside's.
# shellcheck disable=SC2016
first='read -r pid rest </proc/self/stat; echo "$pid" >"$0/pid"; exec "$@"'
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child -- sh -c "$first" "$state" "$@" </dev/null 3<&- 9>&- &
child=$!

end() {
    kill -KILL "$(cat "$state/pid" 2>/dev/null || echo "$child")" 2>/dev/null
}
trap end HUP INT TERM
{
    while read -r _; do :; done
    end
} <&3 9>&- &
watcher=$!

# unshare ends when process 1 has, and that when all others in its namespace have.
while
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null
do :; done
trap '' HUP INT TERM
kill "$watcher" 2>/dev/null
clear "$state"
exit "$status"
