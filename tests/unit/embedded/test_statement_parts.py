"""Taking statements apart without an engine."""

from __future__ import annotations

import pytest

from provision.embedded.clickhouse_server.statement import parse


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT 1;",
        "SELECT 1 ; ; -- and; more\n",
        "SELECT ';' /* ; */ -- ; x",
        "SELECT 'it''s; \\'; ' AS `a;b`, \"c;d\"",
        "SELECT $tag$ a; b $tag$, $$;$$",
        "INSERT INTO t VALUES (1, ';'), (2, ';')",
        "# a comment; with\nSELECT 1",
        "SELECT (1, [2; 3])",
    ],
)
def test_one_statement_is_one(text: str) -> None:
    assert not parse(text.encode()).several


@pytest.mark.parametrize(
    "text",
    ["SELECT 1; SELECT 2", "DROP TABLE t; bogus", "INSERT INTO t VALUES (1); SELECT 2", "SELECT '--'; x", "a;;b"],
)
def test_several_statements_are_several(text: str) -> None:
    assert parse(text.encode()).several


@pytest.mark.parametrize(
    ("text", "head", "form", "data"),
    [
        ("INSERT INTO t FORMAT CSV\n1;2\n", "INSERT INTO t", "CSV", "1;2\n"),
        ("insert into t (a, format) format  TSV 1", "insert into t (a, format)", "TSV", "1"),
        ("/* FORMAT x */ INSERT INTO d.format FORMAT Native\r\n\n\x01", "/* FORMAT x */ INSERT INTO d.format", "Native",
         "\n\x01"),
        ("INSERT INTO `format` SETTINGS x = 'FORMAT y' FORMAT JSONEachRow;\n{}",
         "INSERT INTO `format` SETTINGS x = 'FORMAT y'", "JSONEachRow", "{}"),
        ("INSERT INTO format FORMAT CSV", "INSERT INTO format", "CSV", ""),
    ],
)  # fmt: skip
def test_insert_is_cut_at_its_data(text: str, head: str, form: str, data: str) -> None:
    found = parse(text.encode())
    assert (found.head, found.input_format, found.data) == (head.encode(), form, data.encode())


@pytest.mark.parametrize(
    "text",
    ["INSERT INTO t SELECT 1 FORMAT Null", "INSERT INTO t VALUES ('FORMAT CSV')", "INSERT INTO t WITH 1 AS x SELECT x"],
)
def test_insert_without_data_in_a_format_stays_whole(text: str) -> None:
    found = parse(text.encode())
    assert (found.input_format, found.text, found.several) == ("", text.encode(), False)


@pytest.mark.parametrize(
    ("text", "selects", "form"),
    [
        ("SELECT 1 FORMAT JSON", True, "JSON"),
        ("(SELECT 1) FORMAT CSV", False, "CSV"),
        ("WITH 1 AS x SELECT x", True, ""),
        ("SHOW TABLES", False, ""),
        ("SELECT 'FORMAT JSON'", True, ""),
    ],
)
def test_output_format_is_found(text: str, selects: bool, form: str) -> None:
    found = parse(text.encode())
    assert (found.is_select, found.output_format) == (selects, form)


def test_session_statements_are_known() -> None:
    assert parse(b"set max_threads = 1").sets_session
    assert parse(b"USE system").sets_session
    assert parse(b"CREATE OR REPLACE TEMPORARY TABLE x (a Int8)").makes_temporary
    assert not parse(b"CREATE TABLE temporary (a Int8)").sets_session
    assert parse(b"SELECT 1 INTO OUTFILE 'x'").to_file
    assert parse(b"INSERT INTO t FROM INFILE 'x' FORMAT CSV").to_file


@pytest.mark.parametrize("text", ["", "  ", "-- x", "'unclosed", "/* unclosed", ";", "\xff\x00"])
def test_what_is_no_statement_is_survived(text: str) -> None:
    assert not parse(text.encode("latin-1")).several
