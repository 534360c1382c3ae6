"""The parts of a kind: files of its package, or objects that the kind gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pytest

from provision import kinds
from provision.documents.kind import DocumentKind
from provision.model import StoreOptions
from provision.ports.kind import Kind
from provision.stores.postgres import KIND as POSTGRES

DOCUMENTS = [each for each in kinds.every() if isinstance(each, DocumentKind)]


@dataclass(frozen=True)
class Giving(Kind):
    objects: dict[str, object] = field(default_factory=dict)

    def given(self, part: str) -> object | None:
        return self.objects.get(part)


def giving(**objects: object) -> Giving:
    parts = {name.replace("_", ".", 1): each for name, each in objects.items()}
    return Giving("x", "X", "provision.stores.postgres", POSTGRES.build, "psycopg", objects=parts)


def test_part_that_is_given_goes_before_the_file() -> None:
    mine = object()
    assert giving(setup_draft=mine).draft() is mine


def test_part_that_is_not_given_is_the_file() -> None:
    assert giving().draft() is import_module("provision.stores.postgres.setup.draft")


def test_part_that_is_given_is_there_without_a_file() -> None:
    mine = object()
    kind = giving(setup_live=mine)
    assert (kind.has("setup.live"), kind.live()) == (True, mine)
    assert (giving().has("setup.live"), giving().live()) == (False, None)


def test_the_kinds_of_documents() -> None:
    assert [each.name for each in DOCUMENTS] == ["arango", "influx", "redis", "weaviate"]


@pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.name)
def test_example_of_a_draft_is_a_document_once_its_lines_are_taken_in(kind: DocumentKind, tmp_path: Path) -> None:
    options = StoreOptions(kind.name, kind.name, "app", tmp_path / kind.name, tmp_path)
    draft, layout = kind.draft(), kind.layout()
    assert draft
    assert layout
    layout.start(tmp_path, layout.FOLDER, kind.name)
    assert layout.found(tmp_path) is None

    (path,) = draft.write(options, "Begin", ())
    path.write_text(path.read_text().replace("\n#  - ", "\n  - ").replace("\n#      ", "\n      "))

    (revision,) = kind.build(options).revisions()
    assert (revision.id, revision.description) == (f"{kind.name}/0001", "Begin")
    assert layout.found(tmp_path) == {"path": kind.name}
