# What CI runs is what you run at the desk. `make up` and `make test` do all the set-up themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# A hash-pinned file to install from instead of the ranges of pyproject.toml; CI sets it.
LOCK   ?=
PYTEST := $(BIN)/python -m pytest
# Two processes: the tests mostly wait for servers.
ARGS   ?= -n 2

.DEFAULT_GOAL := help
.PHONY: help up test test-containers check fmt lint type arch unit smoke chaos bench bench-stores bench-data servers docs stale lock clean

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

up: $(VENV)/.up  ## Set up, start the embedded engines and apply every migration
	@$(BIN)/provision up --env local </dev/null

test: $(VENV)/.dev  ## Every test but chaos: unit, contract, command line, real engines
	$(PYTEST) $(ARGS) </dev/null

test-containers: $(VENV)/.dev  ## Up, down and up of all six stores in containers; what cannot run is named
	$(PYTEST) tests/containers -n 0 -rs -s </dev/null

check: lint type arch unit smoke  ## What every commit passes

fmt: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.dev  ## Format and lint, read only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: $(VENV)/.dev  ## mypy --strict
	$(BIN)/mypy

arch: $(VENV)/.dev  ## The arrows between the packages
	$(BIN)/lint-imports

unit: $(VENV)/.dev  ## Unit and contract tests
	$(PYTEST) tests/unit tests/contract $(ARGS) </dev/null

smoke: $(VENV)/.dev  ## The wheel alone, without any extra, shows its help
	@sh tests/smoke.sh $(BIN)/python

chaos: $(VENV)/.dev  ## Kill a run at every boundary and at random instants; print the shares
	$(BIN)/python -m tests.chaos $(CHAOS) </dev/null
	$(BIN)/python -m tests.chaos.backfill $(BACKFILL) </dev/null

bench: $(VENV)/.dev  ## Compare with the peers in one run; all three write docs/performance.md
	$(BIN)/python -m bench $(BENCH) </dev/null

bench-stores: $(VENV)/.dev  ## Six stores together and alone; status against the import of six clients
	$(BIN)/python -m bench.stores $(BENCH) </dev/null

bench-data: $(VENV)/.dev  ## Data checks and backfills beside the seed's queries and other tools
	$(BIN)/python -m bench.data_checks $(BENCH) </dev/null
	$(BIN)/python -m bench.data_backfill $(BACKFILL) </dev/null

servers:  ## Install the real servers that the tests use (Debian, as root; Weaviate is built by Go)
	sh tests/servers/install.sh

docs: $(VENV)/.dev  ## Regenerate what is generated in docs/
	$(BIN)/python docs/generate_commands.py
	$(BIN)/python docs/generate_schema.py

stale: $(VENV)/.dev  ## docs/schema.md and the diagrams are those of the live schema
	$(BIN)/python docs/generate_schema.py --check

lock: $(VENV)/.dev  ## Pin every dependency with hashes for CI
	$(BIN)/pip install -q 'pip-tools>=7.4,<8'
	$(BIN)/pip-compile -q --extra dev --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --no-config -o requirements/ci.txt pyproject.toml
	@# The extras name each other through the project itself, which has no hash and is installed from the clone.
	sed -i '/^# WARNING: pip install will require/,/^    # via provision-toolkit/d' requirements/ci.txt

clean:  ## Stop the embedded engines and remove what was made here
	@if [ -x $(BIN)/provision ]; then $(BIN)/provision local reset --yes; fi
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache dist build *.egg-info

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "provision needs Python 3.11 or newer; $(PYTHON) is $$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1 || echo not there)." >&2; \
	  echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make up PYTHON=/usr/bin/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks venv. Debian: apt-get install python3-venv" >&2; exit 2; }
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) && touch $@

$(VENV)/.up: $(VENV)/.python pyproject.toml
	@echo "installing provision and its local engines into $(VENV) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-input -e '.[local]' </dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml $(LOCK)
	@echo "installing provision and its development tools into $(VENV) …"
ifeq ($(LOCK),)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-input -e '.[dev]' </dev/null
else
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-input --require-hashes -r $(LOCK) </dev/null
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-input --no-deps -e . </dev/null
endif
	@touch $@ $(VENV)/.up
