"""Texts, checksums and names of migration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import ConfigError
from provision.text.files import checksum, described, headers, inside, listed, number_and_slug, read_text


def written(folder: Path, content: bytes) -> Path:
    path = folder / "001_prüf stand.sql"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [b"a\nb\n", b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfa\r\nb\n"])
def test_read_text_line_ends_and_byte_order_mark_make_no_difference(tmp_path: Path, content: bytes) -> None:
    text = read_text(written(tmp_path, content), "x")

    assert (text, checksum(text)) == ("a\nb\n", checksum("a\nb\n"))


def test_checksum_of_windows_line_ends_is_the_same() -> None:
    assert checksum("a\r\nb") == checksum("a\nb") != checksum("a b")
    assert checksum("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_read_text_not_utf8_names_the_byte(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(written(tmp_path, b"caf\xe9"), "clickhouse/001.sql")

    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "not-utf8",
        "001_prüf stand.sql is not UTF-8: byte 0xe9 at offset 3",
        "clickhouse/001.sql",
        "save the file as UTF-8",
    )


def test_read_text_unreadable_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path / "gone.sql", "clickhouse/gone.sql")

    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "unreadable-file",
        "gone.sql cannot be read: no such file or directory",
        "clickhouse/gone.sql",
        "put a file in its place",
    )


def test_number_and_slug_are_read_from_the_name() -> None:
    assert number_and_slug(Path("007_events_ttl.down.sql"), "x") == ("007", "events_ttl")


@pytest.mark.parametrize("name", ["events.sql", "7-events.sql", "7_.sql", "_7.sql"])
def test_number_and_slug_of_another_name_are_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        number_and_slug(Path(name), f"clickhouse/{name}")

    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "bad-filename",
        f"{name} does not start with a number and an underscore",
        f"clickhouse/{name}",
        f"rename it like 001_{name}",
    )


def test_headers_are_those_of_the_leading_comment_block() -> None:
    text = "\n-- Description: Events\n  -- requires: a/1, b/1\n-- other\nselect 1;\n-- requires: no/1\n"

    assert headers(text) == {"description": "Events", "requires": "a/1, b/1"}


def test_listed_parts_are_trimmed_and_empty_ones_left_out() -> None:
    assert listed(" a/1, ,b/2 ") == ("a/1", "b/2")
    assert listed("") == ()


def test_inside_gives_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.sql", "a.sql", "c.txt"):
        (tmp_path / name).touch()

    (tmp_path / "._a.sql").touch()
    assert [path.name for path in inside(tmp_path, "*.sql")] == ["a.sql", "b.sql"]
    assert list(inside(tmp_path / "gone", "*.sql")) == []


def test_described_slug_reads_as_words() -> None:
    assert described("events_ttl-v2") == "events ttl v2"
