"""The two design documents where they lie beside this repository; elsewhere, tests that need them are skipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
D1, D2 = "000_*.txt", "004_*.txt"


def document(name: str = D1) -> str:
    """The text of a document; the test is skipped where there is none."""
    found = sorted(SEEDS.glob(name))
    if not found:
        pytest.skip("../shared/seeds, the design documents, are not there")
    return found[0].read_text(encoding="utf-8")


def block(begin: str, end: str, name: str = D1) -> str:
    """The document's text from the first `begin` to the next `end`, which must be there; without `end`."""
    _, found, rest = document(name).partition(begin)
    assert found, f"the document has no {begin}"
    inside, found, _ = rest.partition(end)
    assert found, f"nothing in the document ends {begin}"
    return begin + inside


def statement(begin: str) -> str:
    """A statement as the document has it; a function up to its language."""
    if "FUNCTION" in begin:
        return block(begin, "$$ LANGUAGE plpgsql;") + "$$ LANGUAGE plpgsql"
    # The semicolon that ends it ends its line too; one in a comment does not.
    text = re.split(r";[ ]*(?:--[^\n]*)?\n", document().partition(begin)[2], maxsplit=1)[0]
    assert text, f"the document has no {begin}"
    return begin + text


def table(name: str) -> str:
    """A CREATE TABLE of D1 as it is written."""
    return statement(f"CREATE TABLE {name} (")


def without_indexes(create: str) -> str:
    """A CREATE TABLE of D1 without its inline INDEX, the first of its errors (defect 1); no other letter is changed."""
    lines = [line for line in create.split("\n") if not line.strip().startswith("--")]
    text = "\n".join(line.partition(" -- ")[0] for line in lines)
    text = re.sub(r"\n\s*INDEX (?:[^,()]|\([^()]*\))*(?=,|\n\))", "\n    ", text)
    text = re.sub(r",(?:\s*,)+", ",", text)
    return re.sub(r",\s*\)$", "\n)", text)
