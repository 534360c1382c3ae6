#!/bin/sh
# What somebody new sees: clones HEAD, runs `make up` twice and stops the engines, with times.
# usage: sh tests/system/fresh_clone.sh [--user NAME]     (another user only as root; downloads from the package index)
set -eu
exec </dev/null
user=""
while [ $# -gt 0 ]; do
  case $1 in
    --user) user=$2; shift 2 ;;
    *) echo "usage: $0 [--user NAME]" >&2; exit 2 ;;
  esac
done
repository=$(cd "$(dirname "$0")/../.." && pwd)
place=$(mktemp -d)
mkdir "$place/home"
git clone -q --no-hardlinks "$repository" "$place/Größe 1"
become=""
if [ -n "$user" ]; then
  chown -R "$user" "$place"
  become="setpriv --reuid=$(id -u "$user") --regid=$(id -g "$user") --clear-groups --"
fi

# Nothing of the caller's but the way to the package index: no cache, no activated environment, no terminal.
clean() {
  (cd "$place/Größe 1" && $become env -i HOME="$place/home" PATH=/usr/bin:/bin LANG=C.UTF-8 \
    ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} ${PIP_CERT:+PIP_CERT="$PIP_CERT"} \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${https_proxy:+https_proxy="$https_proxy"} setsid -w "$@")
}

gone() {
  clean sh -c '[ ! -x .venv/bin/provision ] || .venv/bin/provision local reset --yes'
  rm -rf "$place"
}
trap gone EXIT

timed() {
  echo "== $*"
  began=$(date +%s%N)
  clean "$@" >"$place/said" 2>&1 || { code=$?; cat "$place/said"; echo "exit $code" >&2; exit 1; }
  cat "$place/said"
  echo "== $(( ($(date +%s%N) - began) / 1000000 )) ms as $(clean id -un)"
}

made() { find "$place/Größe 1/.venv" -newer "$place/mark" | head -5; }
line() { grep -qx "$1" "$place/said" || { echo "the output has no line like: $1" >&2; exit 1; }; }

PYTHON=${PYTHON:-/usr/bin/python3}
timed make up PYTHON="$PYTHON"
line '[0-9]* applied.* in .* s'
touch "$place/mark"
sleep 0.1
timed make up PYTHON="$PYTHON"
line 'nothing to do'
[ -z "$(made)" ] || { echo "the second run installed something:" >&2; made >&2; exit 1; }
timed .venv/bin/provision status --env local
line 'everything is applied'
timed .venv/bin/provision local stop
[ -z "$(clean git status --porcelain)" ] || { echo "files of the clone changed" >&2; clean git status --short >&2; exit 1; }
echo "fresh clone: everything as it should be"
