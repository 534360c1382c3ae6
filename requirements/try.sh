#!/bin/sh
# Tests with the lowest or the newest versions that pyproject.toml allows, in an environment of its own made anew.
# usage: sh requirements/try.sh lowest|newest PYTHON [argument of pytest…]
set -eu
exec </dev/null
cd "$(dirname "$0")/.."
which=$1
python=$2
shift 2
venv=.venv-$which
rm -rf "$venv"
"$python" -m venv "$venv"
case $which in
  lowest) "$python" requirements/ranges.py --lowest dev ;;
  newest) "$python" requirements/ranges.py dev ;;
  *) echo "usage: sh requirements/try.sh lowest|newest PYTHON [argument of pytest…]" >&2; exit 2 ;;
esac >"$venv/wanted.txt"
echo editables >>"$venv/wanted.txt"
"$venv/bin/pip" install -q --disable-pip-version-check --no-input -r "$venv/wanted.txt"
"$venv/bin/pip" install -q --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
"$venv/bin/python" requirements/installed.py dev
# Units, every store's contract, and what unit tests do not see of typer, alembic and sqlalchemy.
"$venv/bin/python" -m pytest "$@" tests/unit tests/contract tests/stores/postgres/test_environments.py tests/cli/test_start_new.py \
  tests/cli/test_bad_input_files.py tests/cli/test_bad_input_usage.py tests/cli/test_bad_input_servers.py \
  tests/cli/test_help.py tests/cli/test_completion.py || {
  code=$?
  echo "failed with the $which versions that pyproject.toml allows; what differs from requirements/dev.txt:" >&2
  "$venv/bin/python" requirements/installed.py --differing >&2
  exit "$code"; }
