"""Which files of a ClickHouse folder are read, in pairs as clickhouse-migrations has it, and which are refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from provision.errors import ConfigError, Several
from provision.model import StoreOptions
from provision.stores.clickhouse.files import Script, scripts

MARKED = {
    "goose": "-- +goose Up\nCREATE TABLE t (x Int8);\n\n-- +goose Down\nDROP TABLE t;\n",
    "goose, other letters": "--+goose UP\nSELECT 1;\n-- +GOOSE down\nSELECT 2;\n",
    "sql-migrate": "-- +migrate Up\nSELECT 1;\n-- +migrate Down notransaction\nSELECT 2;\n",
    "dbmate": "-- migrate:up\nSELECT 1;\n\n-- migrate:down transaction:false\nSELECT 2;\n",
    "dbmate, indented": "--migrate:up\nSELECT 1;\n  --migrate:down\nSELECT 2;\n",
    "rambler": "-- rambler up\nSELECT 1;\n-- rambler down\nSELECT 2;\n",
    "MyBatis": "-- first\nSELECT 1;\n-- //@UNDO\nSELECT 2;\n",
}
NOT_MARKED = {
    "in a text": "SELECT '\n-- +goose Down\n';\n",
    "in a text between dollars": "SELECT $$\n-- migrate:down\n$$;\n",
    "in a comment": "/*\n-- +goose Down\n*/ SELECT 1;\n",
    "up alone": "-- +goose Up\nSELECT 1;\n",
    "of words": "-- we migrate: down from 10 days\n-- + down\nSELECT 1;\n",
}


def read(root: Path, files: Mapping[str, str]) -> Mapping[str, Script]:
    folder = root / "clickhouse"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return scripts(StoreOptions("clickhouse", "clickhouse", "p", folder, root))


def refused(root: Path, files: Mapping[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        read(root, files)
    return raised.value


@pytest.mark.parametrize("text", MARKED.values(), ids=MARKED)
def test_file_with_both_directions_of_another_tool_is_refused(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, {"001_a.sql": text})

    line = next(at for at, each in enumerate(text.split("\n"), 1) if "down" in each.lower() or "UNDO" in each)
    assert (error.code, error.where) == ("both-ways", f"clickhouse/001_a.sql:{line}")
    assert "move what is below the marker to 001_a.down.sql" in error.fix


@pytest.mark.parametrize("text", NOT_MARKED.values(), ids=NOT_MARKED)
def test_marker_that_begins_no_other_direction_is_text(tmp_path: Path, text: str) -> None:
    assert list(read(tmp_path, {"001_a.sql": text})) == ["clickhouse/001"]


def test_way_back_with_the_way_there_in_it_is_refused(tmp_path: Path) -> None:
    error = refused(
        tmp_path, {"001_a.sql": "SELECT 1;", "001_a.down.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n"}
    )

    assert (error.code, error.where) == ("both-ways", "clickhouse/001_a.down.sql:1")


def test_fix_of_both_ways_followed_gives_two_files_that_are_read(tmp_path: Path) -> None:
    up, _, down = MARKED["goose"].partition("-- +goose Down\n")
    found = read(tmp_path, {"001_a.sql": up.replace("-- +goose Up\n", ""), "001_a.down.sql": down})

    assert found["clickhouse/001"].down == "DROP TABLE t;\n"


def test_names_of_golang_migrate_are_pairs(tmp_path: Path) -> None:
    found = read(tmp_path, {"001_a.up.sql": "SELECT 1;", "001_a.down.sql": "SELECT 2;", "002_b.up.sql": "SELECT 3;"})

    assert [(each.revision.slug, each.up, each.down) for each in found.values()] == [
        ("a", "SELECT 1;", "SELECT 2;"),
        ("b", "SELECT 3;", None),
    ]
    assert found["clickhouse/002"].revision.irreversible == "there is no 002_b.down.sql"


def test_pairs_are_of_one_number_whatever_their_names_as_the_peer_has_it(tmp_path: Path) -> None:
    found = read(tmp_path, {"001_create.sql": "SELECT 1;", "1_drop.down.sql": "SELECT 2;"})

    assert found["clickhouse/001"].down == "SELECT 2;"


def test_two_ways_back_of_one_number_are_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, {"001_a.sql": "SELECT 1;", "001_a.down.sql": "SELECT 2;", "01_b.down.sql": "SELECT 3;"})

    assert (error.code, error.where) == ("duplicate-id", "clickhouse/001_a.down.sql, clickhouse/01_b.down.sql")


@pytest.mark.parametrize(("number", "fits"), [(2**32 - 1, True), (2**32, False), (20240131120000, False)])
def test_number_that_the_peers_table_cannot_keep_is_refused(tmp_path: Path, number: int, fits: bool) -> None:
    if fits:
        assert [each.version for each in read(tmp_path, {f"{number}_a.sql": "SELECT 1;"}).values()] == [number]
        return
    error = refused(tmp_path, {f"{number}_a.sql": "SELECT 1;"})

    assert error.code == "number-too-high"
    assert "4294967295 is the highest version" in error.what


@pytest.mark.parametrize("name", ["002_b.SQL", "002_b.sql.txt", "002_b.yaml", "002_b", "Init.Sql", "V2_b.ddl"])
def test_file_that_is_called_like_a_migration_and_would_be_passed_by_is_refused(tmp_path: Path, name: str) -> None:
    error = refused(tmp_path, {"001_a.sql": "SELECT 1;", name: "SELECT 2;"})

    assert (error.code, error.where) == ("nothing-read", f"clickhouse/{name}")


def test_folder_pipe_and_broken_link_under_a_right_name_are_refused(tmp_path: Path) -> None:
    read(tmp_path, {"001_a.sql": "SELECT 1;"})
    folder = tmp_path / "clickhouse"
    (folder / "002_b.sql").mkdir()
    os.mkfifo(folder / "003_c.sql")
    (folder / "004_d.sql").symlink_to("gone.sql")

    with pytest.raises(Several) as raised:
        read(tmp_path, {})

    assert [(each.code, each.where) for each in raised.value.errors] == [
        ("not-a-file", f"clickhouse/{name}") for name in ("002_b.sql", "003_c.sql", "004_d.sql")
    ]


@pytest.mark.parametrize("name", ["README.md", "001_notes.md", "._002_b.sql", "001_a.sql~", "001_a.sql.orig", ".keep"])
def test_what_lies_beside_migrations_is_left_alone(tmp_path: Path, name: str) -> None:
    assert list(read(tmp_path, {"001_a.sql": "SELECT 1;", name: "x"})) == ["clickhouse/001"]
