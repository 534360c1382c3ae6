"""What is read without YAML's reader is what the full reader gives; everything else is left to that."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import ProvisionError
from provision.partitions.document import KEYS, read
from provision.partitions.outline import outline

HEAD = "store: postgres\ntable: t\ncolumn: at\ninterval: 1 month\n"
READ = [
    HEAD,
    f"# a comment\n\ndescription: Values, a window a month\n{HEAD}ahead: 12   # a year\nbehind: 3\nretain: 60 months\n",
    HEAD.replace("table: t", "table: s.t"),
    HEAD.replace("1 month", "6 hours") + "ahead: 0\nbehind: 0\n",
    f"{HEAD}retain: 10 years\nmerge_after: {{age: 12 months, into: year}}\n",
]
LEFT = [
    "",
    "store: postgres\n",
    f"{HEAD}ahead: 03\n",
    f"{HEAD}ahead: 3\nahead: 4\n",
    f"{HEAD}aheed: 3\n",
    f"{HEAD}retain: 3 days\n",
    f"{HEAD}description: true\n",
    f"{HEAD}description: 'quoted'\n",
    f"{HEAD}merge_after: {{into: year, age: 24 months}}\n",
    f"{HEAD}merge_after: {{age: 24 months, into: month}}\n",
    f"{HEAD}merge_after: {{age: 24 months, into: decade}}\n",
    f"{HEAD}merge_after: {{age: 24 moons, into: year}}\n",
    f"{HEAD}merge_after: {{age: 24 months, into: year, more: 1}}\n",
    f"{HEAD}retain: 24 months\nmerge_after: {{age: 24 months, into: year}}\n",
    f"{HEAD}on_retire: detach\n",
    HEAD.replace("postgres", "redis"),
    HEAD.replace("table: t", "table: null"),
    HEAD.replace("table: t", "table: t; drop"),
    HEAD.replace("1 month", "1 fortnight"),
    HEAD.replace("1 month", "900 years"),
    HEAD.replace("\n", "\r"),
    f"{HEAD}---\n",
    f"{HEAD}column\u2028: x\n",
]


@pytest.mark.parametrize("text", READ)
def test_an_outline_is_what_the_full_reader_gives(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text)

    found = outline(path, "t.yaml", ("postgres",))

    whole = read(path, "t.yaml", lambda _: KEYS)
    assert found == whole
    assert found.places == {keys: place for keys, place in whole.places.items() if len(keys) == 1}


@pytest.mark.parametrize("text", LEFT)
def test_what_is_not_plain_has_no_outline(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(text.encode())

    assert outline(path, "t.yaml", ("postgres",)) is None


def test_a_file_that_is_no_text_has_no_outline(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(b"\xff\xfe")

    assert outline(path, "t.yaml", ("postgres",)) is None
    with pytest.raises(ProvisionError):
        read(path, "t.yaml", lambda _: KEYS)


def test_a_store_that_makes_windows_itself_knows_no_ahead(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(HEAD)
    assert outline(path, "t.yaml", (), ("postgres",)) == read(path, "t.yaml", lambda _: KEYS)
    path.write_text(f"{HEAD}ahead: 3\n")
    assert outline(path, "t.yaml", (), ("postgres",)) is None


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[3] / "partitions").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_documents_are_read_without_the_reader_of_yaml(path: Path) -> None:
    assert outline(path, path.name, ("postgres",), ("clickhouse",)) is not None
