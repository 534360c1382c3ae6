"""Outlines of documents: they say what the full reader says, or nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provision import kinds
from provision.documents.outline import Outline, header, outlines, revisions
from provision.documents.yaml import parse
from provision.errors import ProvisionError
from provision.model import StoreOptions

ROOT = Path(__file__).parents[2]
KINDS = ("redis", "influx", "weaviate", "arango")
# Pieces of documents, good and bad ones, put together at random.
LINES = (
    "description: Two words",
    "description: One: two",
    "description: word  # why",
    "description: word#not",
    "description: Ünicode, (and) it's so; 100% & more",
    "description: true",
    "description: 12",
    "description: two words ",
    "description: word\u2028up:",
    "description: word\x85requires: [a/9]",
    'description: "quoted"',
    "description: 'quoted'",
    "description: |\n  block",
    "description: begun\n  and continued",
    "description: begun\n\n  and continued",
    "description: begun\n  # no longer\n",
    'description: "begun\nrequires: [a/9]\nup:"',
    "description:",
    "description: >-",
    "description: *anchor",
    "requires: [a/1]",
    "requires: [a/1, b-c/0002]  # both",
    "requires: [a/1,b/2]",
    "requires: [a/1, b/2,]",
    "requires: ['a/1']",
    "requires:\n  - a/1",
    "requires:\n- a/1",
    "requires: []",
    "requires: [a/1\n, b/2]",
    "requires: &x [a/1]",
    "? requires\n: [a/3]",
    '"requires": [a/4]',
    '"r\\x65quires": [a/4]',
    "!!str requires: [a/5]",
    "up:\n  - make: {name: x}",
    "up:\n- make: {name: x}",
    "up:\n  - make: {name: 'x\nrequires: [a/6]\n'}",
    'up:\n  - make: {name: "x\n\ndescription: other\n"}',
    "up:\n  - make:\n      code: |\n        description: no\n\n        requires: [a/7]\n",
    "up: [{make: {name: x}}]",
    "up: [{make: {name: x}},\n{make: {name: y}}]",
    "up:",
    "down: auto",
    "down:\n  irreversible: gone",
    "down: {irreversible: gone,\nrequires: [a/8]}",
    "down:\n  - drop: {name: x}",
    "# a comment",
    "   # a comment with a place before it",
    "",
    "  ",
    "---",
    "...",
    "%YAML 1.1",
    "\tup:",
    "other: 1",
    "<<: {requires: [a/9]}",
    "{description: flow}",
    "\ufeffup:",
)


def read_whole(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Description and requirements as the full reader has them; None where the document is not right."""
    try:
        value: Mapping[str, Any] = parse(text, "0001_x.yaml")[0]
    except ProvisionError:
        return None
    description, requires = value.get("description", "-"), value.get("requires", [])
    right = isinstance(description, str) and description and isinstance(requires, list) and set(value) <= KEYS
    return ("" if "description" not in value else description, tuple(requires)) if right else None


KEYS = {"description", "requires", "up", "down"}


def test_outline_of_documents_made_at_random_is_what_the_full_reader_says() -> None:
    dice, told, left = random.Random(4), 0, 0
    for _ in range(20_000):
        text = "\n".join(dice.choices(LINES, k=dice.randint(1, 6))) + dice.choice(("", "\n", "\n\n"))
        found, wanted = header(text), read_whole(text)
        if wanted is not None and found is not None:
            assert found == wanted, text
            told += 1
        left += found is None
    assert told > 200  # else nothing was compared
    assert left > 200


def test_outline_of_good_lines_in_order_is_there() -> None:
    dice = random.Random(5)
    for _ in range(500):
        head = [
            dice.choice((LINES[0], LINES[2], LINES[4])),
            dice.choice(("requires: [a/1]", "requires: [a/1, b-c/0002]  # both")),
        ]
        dice.shuffle(head)
        body = [dice.choice(LINES[34:36]), dice.choice(("down: auto", "down:\n  irreversible: gone"))]
        text = "\n".join(["# of what", *head, *body])
        assert header(text) == read_whole(text) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_every_shipped_document_has_an_outline_that_its_revision_agrees_with(kind: str) -> None:
    options = StoreOptions(kind, kind, "vfr", ROOT / kind, ROOT)
    listed = outlines(options)
    assert listed

    whole = kinds.build(options).revisions()
    for short, full in zip(revisions(kind, listed), whole, strict=True):
        known = (
            "id",
            "slug",
            "description",
            "path",
            "checksum",
            "parents",
            "requires",
            "labels",
            "strict",
            "repeatable",
        )
        assert [getattr(short, each) for each in known] == [getattr(full, each) for each in known]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0002_b.yml", "up:\n  - make: {}\ndown: auto\n"),
        ("b.yaml", "up:\n  - make: {}\ndown: auto\n"),
        ("1_b.yaml", "up:\n  - make: {}\ndown: auto\n"),
        ("0002_b.yaml", "description: [\n"),
        ("0002_b.yaml", "up:\n  - make: {}\ndown: auto\nrequires: [a/1]\n"),
        ("0002_b.yaml", ""),
    ],
)
def test_one_document_that_must_be_read_whole_leaves_no_outline(tmp_path: Path, name: str, text: str) -> None:
    options = StoreOptions("x", "x", "p", tmp_path, tmp_path)
    (tmp_path / "0001_a.yaml").write_text("up:\n  - make: {}\ndown: auto\n")
    assert [each.number for each in outlines(options) or ()] == ["0001"]
    (tmp_path / name).write_text(text)
    assert outlines(options) is None


def test_document_that_is_not_utf8_leaves_no_outline(tmp_path: Path) -> None:
    (tmp_path / "0001_a.yaml").write_bytes(b"up:\n  - make: {name: \xff}\n")
    assert outlines(StoreOptions("x", "x", "p", tmp_path, tmp_path)) is None


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("up:\n  - flux: {text: x}\n", True),
        ("up:\n  - 'flux': {text: x}\n", True),
        ('up:\n  - "fl\\x75x": {text: x}\n', True),
        ('up:\n  - "fl\\\n  ux": {text: x}\n', True),
        ("up: [{flux: {}}]\n", True),
        ("up:\n  - ? flux\n    : {}\n", True),
        ("up:\n  - influx: {text: fluxes}\n", False),
        ("up:\n  - create_database: {name: a}\n", False),
    ],
)
def test_operation_that_may_be_used_is_found(text: str, used: bool) -> None:
    assert Outline("x", "0001", "x", text, "", ()).may_use(["flux", "nothing"]) is used
