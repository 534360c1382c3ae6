#!/bin/sh
# Builds the wheel, installs it without extras in a fresh environment, and asks it for help.
set -eu
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m pip wheel -q --no-deps --disable-pip-version-check -w "$folder" . </dev/null
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check "$folder"/*.whl </dev/null
cd "$folder"
"$folder/venv/bin/provision" --help >/dev/null
"$folder/venv/bin/provision" --version
