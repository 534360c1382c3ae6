#!/bin/sh
# Makes a root of Debian 13 with PostgreSQL 17 and pg_partman 5, for `make test-partman5`: partman5.sh FOLDER
# As root; some 120 packages of Debian are fetched the first time. What is there already is left alone.
set -eu
exec </dev/null
root=${1:?a folder}
[ -x "$root/usr/lib/postgresql/17/bin/postgres" ] && exit 0
[ "$(id -u)" = 0 ] || { echo "it needs root, as debootstrap and chroot do" >&2; exit 3; }
command -v debootstrap >/dev/null || { echo "no debootstrap: apt-get install debootstrap" >&2; exit 3; }
mkdir -p "$root"
log=$(mktemp)
echo "making a root of Debian 13 in $root …"
debootstrap --variant=minbase --include=postgresql-17,postgresql-17-partman trixie "$root" \
  "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$log" 2>&1 || { tail -20 "$log" >&2; exit 4; }
rm -f "$log"
