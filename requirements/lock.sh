#!/bin/sh
# Writes requirements/local.txt (what `make up` installs) and dev.txt (the rest too), pinned with hashes.
# usage: sh requirements/lock.sh PYTHON [--upgrade]     PYTHON is of the oldest supported version
set -eu
cd "$(dirname "$0")/.."
python=$1
shift
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
  echo "the pins are made with the oldest supported Python: make lock PYTHON=python3.11" >&2; exit 2; }
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$python" -m venv "$tools"
"$tools/bin/pip" install -q --disable-pip-version-check 'pip-tools>=7.4,<8' </dev/null

# Extras stay: pip before 23.3 takes the newest version of a `name[extra]` that is pinned as `name` alone.
compile() {
  name=$1
  shift
  "$python" requirements/ranges.py "$name" >"$tools/$name.in"
  CUSTOM_COMPILE_COMMAND="make lock" "$tools/bin/pip-compile" -q --no-strip-extras --allow-unsafe --generate-hashes \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-config --no-annotate --newline lf \
    "$@" -o "requirements/$name.txt" "$tools/$name.in" requirements/every-python.in </dev/null
}
compile dev "$@"
# pip-compile keeps the versions and hashes that are there: what `make test` adds leaves what `make up` installed alone.
cp requirements/dev.txt requirements/local.txt
compile local
