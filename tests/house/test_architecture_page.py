"""docs/architecture.md says what pyproject.toml, the source and the tests say."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise, product
from pathlib import Path

import pytest

from provision.core.ledger import TRANSITIONS
from tests.house.conftest import shipped
from tests.house.imports import imports

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables, without the heads."""
    listed = [re.split(r"\s*\|\s*", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    return [cells for cells in listed if cells[0] not in ("layer", "say", "") and not cells[0].startswith("---")]


def every_test() -> set[str]:
    places = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "provision").glob("testing/**/*.py")]
    return {name for path in places for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)}


def test_layers_are_those_of_the_contract_in_its_order() -> None:
    [stated] = [each["layers"] for each in CONTRACTS if each["name"] == "arrows point one way"]
    told = [re.findall(r"`(\w+)`", cells[0]) for cells in rows(section("Layers"))]
    assert told == [[part.strip().removeprefix("provision.") for part in each.split("|")] for each in stated]


@pytest.mark.parametrize("name", [each["name"] for each in CONTRACTS if each["type"] != "layers"])
def test_every_other_contract_is_named(name: str) -> None:
    assert f"- *{name}*: " in section("Layers")


def test_invariants_are_numbered_and_each_is_proved_by_tests_that_are_there() -> None:
    found = [cells for cells in rows(section("Invariants")) if cells[0]]
    assert [cells[0] for cells in found] == [str(number) for number in range(1, len(found) + 1)]
    there = every_test()
    for number, _, proof in found:
        named = re.findall(r"`(test_\w+)`", proof)
        assert named, f"nothing proves invariant {number}"
        assert set(named) <= there, f"invariant {number}"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+\w+\.py|\w+\.py)`", PAGE))))
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / "provision" / path).is_file()


def diagram(number: int) -> list[str]:
    """The lines of a diagram without its head."""
    text: str = re.findall(r"```mermaid\n.*?\n(.*?)```", PAGE, re.DOTALL)[number]
    return text.splitlines()


def test_every_arrow_between_layers_is_an_import() -> None:
    names = [(each.importer.split("."), each.imported.split(".")) for each in imports(shipped())]
    found = {(one[1], other[1]) for one, other in names if len(one) > 1 and len(other) > 1}
    chains = [[re.findall(r"\w+", part) for part in line.split("-->")] for line in diagram(0) if "-->" in line]
    pairs = [product(left, right) for chain in chains for left, right in pairwise(chain)]
    assert [arrow for each in pairs for arrow in each if arrow not in found] == []


def test_every_arrow_between_states_is_a_transition() -> None:
    table = {(str(state), str(event), str(after)) for (state, event), after in TRANSITIONS.items()}
    for line in diagram(2):
        words = re.findall(r"\w+", line)
        assert {tuple(words[at : at + 3]) for at in range(0, len(words) - 2, 2)} <= table, line


def test_number_of_transitions_is_that_of_the_table() -> None:
    assert f"has all {len(TRANSITIONS)}." in PAGE


def test_no_word_has_two_meanings_on_the_page() -> None:
    words = [word.strip() for cells in rows(section("Words")) for word in cells[0].split(",")]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("room", ["store", "server", "files", "ledger", "lease", "marks", "peer", "migrate", "setup"])
def test_rooms_are_those_that_the_bounds_know(room: str) -> None:
    from tests.house.parts import PARTS

    assert room in {part.name for part in PARTS}
    assert re.search(rf"^  {room}/? ", section("A kind of store"), re.MULTILINE)
