"""What pyproject.toml asks for, what requirements/ pins and what the source imports agree."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
sys.path.insert(0, str(FOLDER))
from installed import normal, pins  # noqa: E402
from ranges import lowest, ranges  # noqa: E402

# Extra → the pins that it is installed from.
LOCKS = {"local": FOLDER / "local.txt", "dev": FOLDER / "dev.txt"}
# What vfr_data hands out where the application has it.
OPTIONAL = {"pandas", "pyarrow"}
PYTHONS = ("3.11.0", "3.11.9", "3.12.9", "3.13.9", "3.14.9")


def requirements(*extras: str) -> dict[str, Requirement]:
    return {normal(each.name): each for each in map(Requirement, ranges(extras))}


@pytest.mark.parametrize("extra", LOCKS)
def test_every_requirement_is_pinned_inside_its_range(extra: str) -> None:
    pinned = pins(LOCKS[extra])
    outside = {
        name: (pinned.get(name), str(each.specifier))
        for name, each in requirements(extra).items()
        if name not in pinned or not each.specifier.contains(pinned[name])
    }
    assert outside == {}


def test_what_up_installs_is_what_the_tests_run_on() -> None:
    assert pins(LOCKS["local"]).items() <= pins(LOCKS["dev"]).items()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_pins_have_hashes_and_name_no_index_and_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://|file://|@|(?:^|[\s=])/\w|^\s*-(?!-hash)|^\s*--(?!hash)", text, re.MULTILINE) == []
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [each.split()[0] for each in entries if "--hash=sha256:" not in each] == []
    assert len(entries) == len(pins(path))


def test_pins_are_made_with_the_oldest_python() -> None:
    oldest = metadata.metadata("provision-toolkit")["Requires-Python"].removeprefix(">=")
    assert all(f"with Python {oldest}\n" in path.read_text(encoding="utf-8") for path in LOCKS.values())


@pytest.mark.parametrize("python", PYTHONS)
def test_pins_are_complete_on_every_python(python: str) -> None:
    """pip-compile looks at one Python; what the others need is in requirements/every-python.in."""
    wanted = dict(_wanted(python))
    assert {name: by for name, by in wanted.items() if name not in _applying(python)} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_no_pin_is_for_another_python(python: str) -> None:
    supported = {name: each.metadata.get("Requires-Python") or "" for name, each in _pinned(python).items()}
    assert [name for name, range_ in supported.items() if not SpecifierSet(range_).contains(python)] == []


def test_extras_stay_in_the_pins() -> None:
    """pip before 23.3 takes the newest version of a `name[extra]` that is pinned as `name` alone."""
    text = LOCKS["dev"].read_text(encoding="utf-8")
    bare = {name for name, extras in _with_extras() if not re.search(rf"^{name}\[{extras}\]==", text, re.MULTILINE)}
    assert bare == set()


@pytest.mark.parametrize("each", ranges(["dev"]))
def test_every_range_has_both_ends(each: str) -> None:
    bounds = {bound.operator for bound in Requirement(each).specifier}
    assert bounds == {">=", "<"}
    assert Requirement(each).specifier.contains(lowest(each).partition("==")[2])


def test_every_import_is_of_a_requirement() -> None:
    distributions = metadata.packages_distributions()
    undeclared = [
        f"{path.relative_to(ROOT)}: {module}"
        for package in ("provision", "vfr_data")
        for path in sorted((ROOT / package).rglob("*.py"))
        for module in sorted(set(_imported(path)) - {package})
        if not {normal(each) for each in distributions.get(module, [])} & _declared(path)
    ]
    assert undeclared == []


def _declared(path: Path) -> set[str]:
    """What may be imported in a file: the project's own requirements and those of the extra that it belongs to."""
    if path.is_relative_to(ROOT / "vfr_data"):
        return {*requirements("data")} | OPTIONAL
    place = path.relative_to(ROOT / "provision").parts
    extras = ["influx", "weaviate", "arango"] if place[0] == "net" else None
    if place[0] == "stores" and len(place) > 2 and place[1] != "postgres":
        extras = [place[1]]
        extras = ["grpc"] if place[-1].startswith("grpc") else extras
    if place[2:3] == ("lint",):
        return {*requirements("lint"), *requirements(*(extras or ()))}
    if place == ("testing", "redis_copies.py"):
        return {*requirements("testing"), *requirements("redis")}
    if place[0] in ("embedded", "testing"):
        extras = ["local" if place[0] == "embedded" else "testing"]
    elif path.name == "parquet.py":
        extras = ["export"]
    return set.intersection(*({*requirements(extra)} for extra in extras)) if extras else {*requirements()}


def _imported(path: Path) -> Iterator[str]:
    """The first part of each module that a file imports, anywhere in it, but for its own and Python's."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
        for name in (each.partition(".")[0] for each in names):
            if name not in sys.stdlib_module_names and name != "provision":
                yield name


def _pinned(python: str) -> dict[str, metadata.Distribution]:
    """Those of a Python's pins that are installed here: all but those for other Pythons, unless versions are tried."""
    have = {normal(each.metadata["Name"]): each for each in metadata.distributions()}
    versions = pins(LOCKS["dev"])
    return {name: have[name] for name in _applying(python) if name in have and have[name].version == versions[name]}


def _applying(python: str) -> set[str]:
    """The pins that a Python installs."""
    lines = re.findall(r"^[\w.-]+[^\\\n]*==[^\\\n]+", LOCKS["dev"].read_text(encoding="utf-8"), re.MULTILINE)
    return {normal(each.name) for each in map(Requirement, lines) if _holds(each, python)}


def _holds(requirement: Requirement, python: str, extra: str = "") -> bool:
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "extra": extra}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def _wanted(python: str) -> Iterator[tuple[str, str]]:
    """What the pinned packages need on that Python, and which of them it is."""
    extras = {(name, extra) for name, each in _with_extras() for extra in each.split(",")}
    for name, installed in _pinned(python).items():
        for each in map(Requirement, installed.requires or ()):
            if any(_holds(each, python, extra) for extra in ("", *(mine for of, mine in extras if of == name))):
                yield normal(each.name), name


def _with_extras() -> set[tuple[str, str]]:
    """Name and extras of what pyproject.toml or a pinned package asks for by `name[extra]`."""
    texts = [*ranges(["dev"])]
    for installed in _pinned("3.11.9").values():
        texts += [text for text in installed.requires or () if _holds(Requirement(text), "3.11.9")]
    return {(normal(each.name), ",".join(sorted(each.extras))) for each in map(Requirement, texts) if each.extras}
