"""docs/how-to-add-a-store.md quotes the package as it is, and leaves out no part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provision.ports import Store
from tests.seventh.shop import PACKAGE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to-add-a-store.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
# The parts of a Store that every one has.
NEEDED = {"name", "kind", "ledger", "lane", "statements"}


@pytest.mark.parametrize(("path", "text"), QUOTED, ids=[path for path, _ in QUOTED])
def test_what_is_quoted_stands_in_the_package(path: str, text: str) -> None:
    assert text in (PACKAGE / path).read_text(encoding="utf-8")


def test_every_code_block_is_a_quotation() -> None:
    assert PAGE.count("```") == 2 * len(QUOTED) > 10


def test_every_part_that_a_kind_or_a_store_may_have_is_on_the_page() -> None:
    source = (ROOT / "provision" / "ports" / "kind.py").read_text(encoding="utf-8")
    files = {each.replace(".", "/") + ".py" for each in re.findall(r'self\.part\("([\w.]+)"\)', source)}
    properties = {name for name, each in vars(Store).items() if isinstance(each, property)} - NEEDED

    assert len(files) == 18
    assert {each for each in files if f"`{each}`" not in PAGE} == set()
    assert {each for each in properties if f"`{each}`" not in PAGE} == set()


def test_the_package_is_small() -> None:
    sources = [PACKAGE / "pyproject.toml", *(PACKAGE / "provision_sqlite").rglob("*.py")]
    assert sum(len(each.read_text(encoding="utf-8").splitlines()) for each in sources) <= 610
