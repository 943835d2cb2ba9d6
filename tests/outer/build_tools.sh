#!/bin/sh
# tools.sh CACHE
#
# Puts Docker's plugins `buildx` and `compose`, as Debian ships them, into the folder CACHE, where they stay for later runs.
# Nothing is installed. The packages come from where this machine's own come from, of a release that has both.
set -eu
release=trixie packages="docker-buildx docker-compose"
mkdir -p "$1"
cd "$1"
cache=$PWD
exec 7>lock
flock 7
[ "$(cat complete 2>/dev/null)" != "$release $packages" ] || exit 0
rm -rf complete root lists
mkdir -p root lists/partial packages
cd packages

uri() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}
[ -n "$(uri)" ] || apt-get update -qq
printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$(uri)" "$release" /usr/share/keyrings/debian-archive-keyring.gpg >"$cache/release.sources"
set -- -qq -o "Dir::Etc::sourcelist=$cache/release.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$cache/lists"
apt-get "$@" update
# shellcheck disable=SC2086
apt-get "$@" -o APT::Sandbox::User=root download $packages
for package in *.deb; do
    dpkg-deb -x "$package" "$cache/root"
done
chmod -R a+rX "$cache/root"
cd "$cache"
rm -rf packages lists
echo "$release $packages" >complete
