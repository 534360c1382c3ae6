"""The bounds of provision/: no import circle, every part of a store in its place, no long file and no long function.

Those of vfr_data/ are no circle, no long file and no long function.

What breaks a bound is listed in NOT_YET or fails; what is listed and breaks none any more fails too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import commonpath
from pathlib import Path

import pytest

from tests.house.circles import circles
from tests.house.conftest import shipped
from tests.house.imports import imports
from tests.house.names import stores
from tests.house.parts import PARTS, Evidence, Part, evidence, misplaced, strays
from tests.house.report import FILE_LINES, FUNCTION_LINES, chain_text
from tests.house.sizes import above, files, functions
from tests.house.source import Modules

ROOT = Path(__file__).parents[2]
KINDS = ("arango", "clickhouse", "influx", "postgres", "redis", "weaviate")
# Files and folders beside the parts that serve several of them, and are those of one store alone.
OTHER_FILES = {
    "clickhouse": ("plain", "policies", "reading"),
    "influx": ("annotated", "connect", "session", "version_1", "version_2"),
    "postgres": ("own_tables", "reading"),
    "redis": ("fence", "patterns", "plain", "scripts"),
    "weaviate": ("copy", "own_collections"),
}
# Reason → what is not as it should be yet.
NOT_YET: dict[str, tuple[str, ...]] = {}


@pytest.fixture(scope="module")
def modules() -> Modules:
    return shipped()


@pytest.fixture(scope="module")
def everything(modules: Modules) -> Modules:
    return {**modules, **shipped("vfr_data")}


@pytest.fixture(scope="module")
def signs(modules: Modules) -> Evidence:
    return evidence(modules)


def hold(bound: str, found: Mapping[str, Sequence[str]]) -> None:
    """What breaks a bound must be what NOT_YET lists of it; `found` has sentences, its keys begin with `bound`."""
    broken = {key: wrong for key, wrong in found.items() if wrong}
    listed = {key for keys in NOT_YET.values() for key in keys if key.startswith(bound)}
    beyond = [f"{key}: {each}" for key, wrong in broken.items() if key not in listed for each in wrong]
    assert not beyond, "\n".join(beyond)
    mended = sorted(listed - broken.keys())
    assert not mended, "\n".join(["as they should be, so take them out of NOT_YET:", *mended])


def test_the_stores_are_those_that_are_held_to_the_bounds(modules: Modules) -> None:
    assert tuple(stores(modules)) == KINDS


def test_no_module_is_in_an_import_circle(everything: Modules) -> None:
    paths = {each.name: each.path for each in everything.values()}
    found: dict[str, list[str]] = {}
    for circle in circles(imports(everything)):
        package = commonpath([name.replace(".", "/") for name in circle.members]).replace("/", ".")
        found.setdefault(f"circles in {package}", []).extend(chain_text(each, paths) for each in circle.chains)
    hold("circles in ", found)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_has_its_name_and_place_in_every_store(part: Part, modules: Modules, signs: Evidence) -> None:
    hold(
        f"{part.name} of ",
        {f"{part.name} of {kind}": misplaced(part, kind, modules, signs[part.name]) for kind in KINDS},
    )


def test_a_store_has_no_other_files_than_parts_and_those_listed(modules: Modules) -> None:
    found = {}
    for kind in KINDS:
        listed = OTHER_FILES.get(kind, ())
        gone = sorted({*listed} - {*strays(kind, modules)})
        found[f"other files of {kind}"] = [*strays(kind, modules, listed), *(f"{each} is not there" for each in gone)]
    hold("other files of ", found)


def test_no_file_is_too_long(everything: Modules) -> None:
    hold("lines of ", {f"lines of {each.place}": [f"{each.lines}"] for each in above(files(everything), FILE_LINES)})


def test_no_function_is_too_long(everything: Modules) -> None:
    long = above(functions(everything), FUNCTION_LINES)
    hold("function ", {f"function {each.name} of {each.path}": [f"{each.lines}"] for each in long})


def test_every_entry_of_not_yet_is_of_a_bound() -> None:
    bounds = ("circles in ", "other files of ", "lines of ", "function ", *(f"{part.name} of " for part in PARTS))
    assert [key for keys in NOT_YET.values() for key in keys if not key.startswith(bounds)] == []
