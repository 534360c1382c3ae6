"""What `new`, `init` and `schema` make of an Influx store."""

from __future__ import annotations

from pathlib import Path

from provision.documents import read
from provision.stores.influx import KIND
from provision.stores.influx.files import documents, schema
from tests.stores.influx.conftest import Write

DRAFT, LAYOUT = KIND.draft(), KIND.layout()
assert DRAFT
assert LAYOUT


def test_draft_uncommented_is_a_document_without_mistakes(write: Write) -> None:
    options = write()
    (path,) = DRAFT.write(options, "Tiers of the app", ())
    text = path.read_text()
    path.write_text(text.replace("#  - ", "  - ").replace("#      ", "      "))

    (document,) = documents(options).all()

    assert path.name == "0001_tiers_of_the_app.yaml"
    assert [each.name for each in document.up] == [
        "create_database",
        "create_retention_policy",
        "create_retention_policy",
        "create_rollup",
    ]
    assert read(path, path.name, schema()).description == "Tiers of the app"


def test_layout_finds_documents_or_makes_the_folder(tmp_path: Path) -> None:
    assert LAYOUT.found(tmp_path) is None
    assert [path.name for path in LAYOUT.start(tmp_path, "influx", "influx")] == [".gitkeep"]
    (tmp_path / "influx/0001_x.yaml").touch()
    assert LAYOUT.found(tmp_path) == {"path": "influx"}
