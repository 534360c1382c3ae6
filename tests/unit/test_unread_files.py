"""What is called like a migration in a folder of YAML files, and is not read as one, is told of in every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision import kinds
from provision.documents.outline import outlines
from provision.errors import ConfigError
from provision.model import StoreOptions

WRITTEN = {
    "redis": "create_stream: {name: s, maxlen: 10}",
    "influx": "create_database: {name: d}",
    "weaviate": "create_collection: {class: C}",
    "arango": "create_collection: {name: c}",
}


def options(root: Path, kind: str) -> StoreOptions:
    (root / kind).mkdir()
    (root / kind / "0001_a.yaml").write_text(
        f"description: a\nup:\n  - {WRITTEN[kind]}\ndown: {{irreversible: stays}}\n"
    )
    return StoreOptions(kind, kind, "p", root / kind, root)


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0002_b.YAML", "nothing-read"),
        ("0002_b.json", "nothing-read"),
        ("0002_b.yaml.txt", "nothing-read"),
        ("0002_b.sql", "nothing-read"),
        ("0002_b", "nothing-read"),
        ("0002_b.yml", "bad-filename"),
        ("second.yaml", "bad-filename"),
    ],
)
def test_file_that_would_be_passed_by_is_an_error(tmp_path: Path, kind: str, name: str, code: str) -> None:
    made = options(tmp_path, kind)
    assert [each.id for each in kinds.build(made).revisions()] == [f"{kind}/0001"]
    assert outlines(made) is not None
    (tmp_path / kind / name).write_text((tmp_path / kind / "0001_a.yaml").read_text())

    with pytest.raises(ConfigError) as raised:
        kinds.build(made).revisions()

    assert (raised.value.code, raised.value.where) == (code, f"{kind}/{name}")
    assert outlines(made) is None


@pytest.mark.parametrize("name", ["README.md", "._0002_b.yaml", "0001_a.yaml~", "0001_a.yaml.orig", "schema.json"])
def test_what_lies_beside_is_left_alone(tmp_path: Path, name: str) -> None:
    made = options(tmp_path, "redis")
    (tmp_path / "redis" / name).write_text("x")

    assert [each.id for each in kinds.build(made).revisions()] == ["redis/0001"]
    assert outlines(made) is not None
