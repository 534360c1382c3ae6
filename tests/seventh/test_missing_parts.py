"""A part is a file: where it is not there, what needs it says so, and everything else works."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.seventh.shop import SUITE, Shop

NO_CHECKS = """\
error[capability-missing]: sqlite has no checks: stores of kind sqlite have none
  where  checks/orders.yaml:1:1
  fix    take its tables out of the suites
"""
NO_LOCK = """\
error[capability-missing]: sqlite has no run lock: stores of kind sqlite cannot keep one
  where  sqlite
  fix    name a store that can, such as PostgreSQL or Redis, in [project] home, or run with --no-lock
"""
NO_DRAFT = """\
error[no-draft]: `new` writes no migrations of kind sqlite
  where  new
  fix    write the file by hand, as the other files of that store are named
"""
NO_BACKFILLS = """\
error[capability-missing]: sqlite has no backfills: stores of kind sqlite have none
  where  backfills/orders.yaml:1:1
  fix    fill the rows in a migration of the store
"""
# Part, command, what it says.
MISSING = [
    (
        "setup/layout.py",
        "init begun --stores sqlite",
        "error[no-layout]: `init` cannot begin a store of kind sqlite\n  where  --stores\n"
        "  fix    make the folder and write [stores.sqlite] into provision.toml by hand\n",
    ),
    ("setup/draft.py", "new sqlite more", NO_DRAFT),
    ("setup", "new sqlite more", NO_DRAFT),
    (
        "setup/schema.py",
        "schema sqlite",
        "error[no-documents]: sqlite has no YAML files\n  where  schema\n"
        "  fix    kinds with YAML files: arango, influx, redis, weaviate, checks, backfills, partitions,"
        " maintain\n",
    ),
    (
        "setup/schema.py",
        "import sqlite",
        "error[no-documents]: sqlite has no YAML files\n  where  import\n"
        "  fix    kinds with YAML files: arango, influx, redis, weaviate\n",
    ),
    ("validate/checks.py", "validate", NO_CHECKS),
    ("validate", "validate", NO_CHECKS),
    ("lease.py", "up", NO_LOCK),
    ("lease.py", "lock show", NO_LOCK),
    ("lease.py", "backfill status", NO_BACKFILLS),
    # What this package does not bring at all.
    (
        "",
        "import sqlite",
        "error[no-import]: `import` reads no servers of kind sqlite\n  where  import\n"
        "  fix    write the first migration by hand, and mark it as applied with `provision baseline`\n",
    ),
    ("", "backfill run orders", NO_BACKFILLS),
    (
        "",
        "validate history",
        "error[capability-missing]: sqlite has no history: results of checks are kept in the home store\n"
        "  where  sqlite\n  fix    name another store in [project] home\n",
    ),
    (
        "",
        "local start sqlite",
        "error[no-engine]: sqlite has no embedded engine in environment local\n  where  PROJECT/provision.toml\n"
        "  fix    stores with one: none\n",
    ),
]
OPTIONAL = ("setup", "validate", "lease.py")


def remove(shop: Shop, part: str) -> None:
    place = shop.site / "provision_sqlite" / part
    shutil.rmtree(place) if place.is_dir() else place.unlink()


@pytest.fixture
def full(copied: Shop) -> Shop:
    """The project with checks, a backfill, and an environment with engines."""
    for folder, text in (("checks", SUITE), ("backfills", "store: sqlite\ntable: orders\n")):
        (copied.root / folder).mkdir()
        (copied.root / folder / "orders.yaml").write_text(text)
    with (copied.root / "provision.toml").open("a") as toml:
        toml.write("[environments.local]\nembedded = true\n")
    return copied


@pytest.mark.parametrize(("part", "command", "said"), MISSING, ids=[f"{part} {said}" for part, said, _ in MISSING])
def test_a_missing_part_turns_its_feature_off_with_a_sentence(full: Shop, part: str, command: str, said: str) -> None:
    if part:
        remove(full, part)

    ran = full(*command.split())

    assert (ran.code, ran.err) == (2, said)


@pytest.mark.parametrize("part", ["setup/health.py", "setup"])
def test_doctor_without_its_part_looks_at_the_rest_and_warns(full: Shop, part: str) -> None:
    remove(full, part)

    ran = full("doctor", "-o", "json")

    found = [each for each in json.loads(ran.out)["findings"] if each["place"] == "sqlite"]
    assert (ran.code, [each["rule"] for each in found]) == (0, ["reach", "server", "ledger", "lease"])
    assert {each["severity"] for each in found} == {"fine", "warning"}
    assert found[1]["message"] == (
        "doctor has no part for stores of kind sqlite: nobody looked at its rights and its clock"
    )
    assert found[1]["fix"] == "setup/health.py in its package, as `provision docs how-to-add-a-store` says"


def test_doctor_says_that_the_home_keeps_no_lock(full: Shop) -> None:
    remove(full, "lease.py")

    ran = full("doctor")

    assert ran.code == 1
    assert "stores of kind sqlite cannot keep the run lock" in ran.out


def test_with_nothing_but_what_it_needs_a_store_still_moves(full: Shop) -> None:
    for part in OPTIONAL:
        remove(full, part)

    up = full("up", "--no-lock")
    status = full("status")
    down = full("down", "--all", "--allow-destructive", "--no-lock")

    assert (up.code, status.code, down.code, up.err + down.err) == (0, 0, 0, "")
    assert "everything is applied" in status.out
    assert full.completed("schema", "sq") == []
    assert full("schema", "checks").code == 0
