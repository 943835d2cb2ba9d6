#!/bin/sh
# dockerd.sh TREE STATE
#
# Becomes the Docker daemon of the Debian tree TREE, with the tree (read-only) as its root, STATE as its /srv, and a network
# without interfaces. A chroot does not do: runc refuses it. Runs as process 1 of the namespaces that guard.sh makes.
set -eu
tree=$1 state=$2
mount --make-rprivate /
mount --bind "$tree" "$tree"
cd "$tree"
mount -o remount,bind,ro .
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount --bind "$state" srv
for folder in run tmp root etc/docker; do
    mount -t tmpfs tmpfs "$folder"
done
pivot_root . mnt
cd /
umount --lazy /mnt
exec unshare --net dockerd --host unix:///srv/socket --data-root /srv/data --exec-root /run/docker \
    --pidfile /run/docker.pid --iptables=false --bridge=none --cgroup-parent "$(basename "$state")"
