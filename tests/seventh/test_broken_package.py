"""A package that cannot be used is named, with what to do, where a store of its kind is used, and only there."""

from __future__ import annotations

import pytest

from tests.expected import Expected
from tests.seventh.shop import Shop

FIX = "  fix    pip install --upgrade broken-store; what it must bring: `provision docs how-to-add-a-store`\n"
KIND = """\
from provision.ports.kind import Kind

def build(options):
    {build}

KIND = Kind(name={name!r}, title="Broken", package=__name__, build=build, driver={driver!r}, extra={extra!r})
"""
BUILD = "raise RuntimeError('no room')"


def kind(name: str = "broken", build: str = BUILD, driver: str = "sqlite3", extra: str = "") -> str:
    return KIND.format(name=name, build=build, driver=driver, extra=extra)


def bring(shop: Shop, source: str, name: str = "broken", package: str = "broken_store") -> None:
    """Install a package of one module that says it brings kinds of that name."""
    distribution = package.replace("_", "-")
    metadata = shop.site / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[provision.stores]\n{name} = {package}:KIND\n")
    (shop.site / f"{package}.py").write_text(source)


@pytest.fixture
def using(copied: Shop) -> Shop:
    """The project has a store of the kind, too."""
    with (copied.root / "provision.toml").open("a") as toml:
        toml.write("[stores.broken]\n")
    (copied.root / "broken").mkdir()
    return copied


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import nothing_of_the_sort", "cannot be loaded: No module named 'nothing_of_the_sort'"),
        ("raise RuntimeError('not today')", "cannot be loaded: not today"),
        ("raise SystemExit('bye')", "cannot be loaded: bye"),
        ("def", "cannot be loaded: invalid syntax (broken_store.py, line 1)"),
        ("", "cannot be loaded: module 'broken_store' has no attribute 'KIND'"),
        ("KIND = 'broken'", "gives an object of type str, not a Kind"),
        (kind("other"), "calls its kind 'other'"),
    ],
    ids=["import", "raises", "exits", "syntax", "no KIND", "type", "name"],
)
def test_a_package_that_cannot_be_loaded_is_named(using: Shop, source: str, what: str) -> None:
    bring(using, source)

    ran = using("up")

    said = f"error[kind-broken]: the package broken-store, which brings stores of kind broken, {what}\n"
    assert (ran.code, ran.err) == (2, f"{said}  where  broken_store:KIND\n{FIX}")


def test_a_package_that_is_not_there_any_more_is_an_unknown_kind(using: Shop) -> None:
    ran = using("status")

    assert ran.code == 2
    assert ran.err.startswith("error[unknown-kind]: broken is of no known kind: 'broken'\n")
    assert "sqlite" in ran.err


def test_a_store_that_cannot_be_built_names_the_package(using: Shop) -> None:
    bring(using, kind())

    ran = using("status")

    what = "the package broken-store, which brings stores of kind broken, cannot build a store: no room"
    assert (ran.code, ran.err) == (2, f"error[kind-broken]: {what}\n  where  broken_store\n{FIX}")


@pytest.mark.parametrize(
    ("driver", "extra", "fix"),
    [
        ("no_such_driver", "", "pip install no-such-driver"),
        ("no_such.driver", "fast", "pip install 'broken-store[fast]'"),
    ],
)
def test_a_driver_that_is_not_there_is_named(using: Shop, driver: str, extra: str, fix: str) -> None:
    bring(using, kind(driver=driver, extra=extra))

    ran = using("status")

    assert (ran.code, ran.err.split("\n")[0].split(":")[0]) == (2, "error[missing-extra]")
    assert ran.err.split("\n")[2] == f"  fix    {fix}"


def test_two_packages_of_one_kind_are_both_named(expected: Expected, using: Shop) -> None:
    bring(using, kind())
    bring(using, kind(), package="another_store")

    ran = using("status")

    assert ran.code == 2
    expected(ran.err)


def test_a_part_that_cannot_be_loaded_is_named(expected: Expected, copied: Shop) -> None:
    (copied.site / "provision_sqlite" / "setup" / "draft.py").write_text("import nothing_of_the_sort\n")

    ran = copied("new", "sqlite", "more")

    assert ran.code == 2
    expected(ran.err)


@pytest.mark.parametrize(
    "command", ["status", "up", "doctor", "schema sqlite", "schema checks", "schema backfills", "init other"]
)
def test_a_broken_package_is_no_matter_to_who_does_not_use_it(copied: Shop, command: str) -> None:
    bring(copied, "import nothing_of_the_sort")

    ran = copied(*command.split())

    assert (ran.code, ran.err) == (0, "")


def test_a_broken_package_does_not_stop_the_shell_from_completing(copied: Shop) -> None:
    bring(copied, "import nothing_of_the_sort")

    assert copied.completed("schema", "s") == ["sqlite"]


def test_an_error_that_nobody_foresaw_is_told_beside_a_broken_package(copied: Shop) -> None:
    bring(copied, "import nothing_of_the_sort")
    ledger = copied.site / "provision_sqlite" / "ledger.py"
    read = "def read(self) -> Sequence[Event]:\n"
    assert read in ledger.read_text()
    ledger.write_text(ledger.read_text().replace(read, f"{read}        raise RuntimeError('lost')\n"))

    ran = copied("status")

    assert (ran.code, ran.err.split("\n")[0]) == (5, "error[unexpected]: RuntimeError: lost")


def test_provisions_own_kinds_cannot_be_replaced(copied: Shop) -> None:
    before = copied("schema", "redis")
    bring(copied, "raise RuntimeError('loaded')", name="redis")

    after = copied("schema", "redis")

    assert (after.code, after.out) == (0, before.out)
    assert '"create_stream"' in after.out
    assert copied("init", "begun", "--stores", "redis").code == 0
