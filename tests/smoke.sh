#!/bin/sh
# Builds the wheel, installs it without extras and with pinned dependencies in a fresh environment, asks it for help.
set -eu
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m pip wheel -q --no-deps --no-build-isolation --disable-pip-version-check -w "$folder" . </dev/null
"$python" -m venv "$folder/venv"
# As constraints: with its hash, each line would ask for one of the wheel too.
sed -n 's/^\([^ [#]*\)\(\[[^]]*\]\)\{0,1\}\(==[^ ]*\).*/\1\3/p' requirements/local.txt >"$folder/pins.txt"
"$folder/venv/bin/pip" install -q --disable-pip-version-check -c "$folder/pins.txt" "$folder"/*.whl </dev/null
cd "$folder"
"$folder/venv/bin/provision" --help >/dev/null
"$folder/venv/bin/provision" --version
