"""ClickHouse's HTTP protocol by hand, as curl speaks it."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import zlib
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import lz4.frame
import pytest

from provision.embedded import EngineStatus, engine
from tests.embedded.conftest import alive, kept, put, wait_until

Ask = Callable[..., tuple[HTTPResponse, bytes]]


@pytest.fixture
def ask(clickhouse: EngineStatus) -> Ask:
    return lambda *arguments, **options: request(clickhouse, *arguments, **options)


def request(
    status: EngineStatus,
    query: str = "",
    body: bytes | None = b"",
    method: str = "POST",
    *,
    login: bool = True,
    authorization: str = "",
    **fields: str,
) -> tuple[HTTPResponse, bytes]:
    """Send one request on a connection of its own; fields with `__` are headers."""
    url = urlsplit(status.url or "")
    assert url.password is not None
    headers = {name.replace("__", "-"): value for name, value in fields.items() if "__" in name}
    if authorization:
        headers["Authorization"] = authorization
    if login:
        headers |= {"X-ClickHouse-User": "default", "X-ClickHouse-Key": url.password}
    given = {name: value for name, value in fields.items() if "__" not in name}
    path = "/?" + urlencode(({"query": query} if query else {}) | given)
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=20)
    connection.request(method, path if len(path) > 2 else "/", body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_ping_needs_no_password(ask: Ask, clickhouse: EngineStatus) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(clickhouse.url or "").port or 0)
    for path, state, content in (
        ("/ping", 200, b"Ok.\n"),
        ("/", 200, b"Ok.\n"),
        ("/x", 404, b"There is no handle /x\n"),
    ):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (state, content)
    connection.close()
    assert ask(method="GET", login=False)[1] == b"Ok.\n"


def test_password_by_other_ways(ask: Ask, clickhouse: EngineStatus) -> None:
    password = urlsplit(clickhouse.url or "").password or ""
    for user, given, state in (("default", password, 200), ("default", "x", 403), ("other", password, 403)):
        token = base64.b64encode(f"{user}:{given}".encode()).decode()
        assert ask("SELECT 1", authorization=f"Basic {token}", login=False)[0].status == state
        assert ask("SELECT 1", login=False, user=user, password=given)[0].status == state


def test_wrong_password_answers_as_a_server_does(ask: Ask) -> None:
    answer, content = ask("SELECT 1", login=False, user="default", password="wrong")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
    assert content.startswith(b"Code: 516. DB::Exception: default: Authentication failed: password is incorrect, or")
    assert b"(AUTHENTICATION_FAILED)" in content


@pytest.mark.parametrize(("query", "body"), [("SELECT 1 + 1", b""), ("", b"SELECT 1 + 1"), ("SELECT", b"1 + 1")])
def test_statement_is_query_and_body(ask: Ask, query: str, body: bytes) -> None:
    answer, content = ask(query, body)
    assert (answer.status, content) == (200, b"2\n")
    assert answer.headers["Content-Type"] == "text/tab-separated-values; charset=UTF-8"
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"


@pytest.mark.parametrize(
    ("coding", "encode"),
    [("", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress), ("lz4", lz4.frame.compress)],
)
def test_insert_of_coded_body(ask: Ask, coding: str, encode: Callable[[bytes], bytes]) -> None:
    ask("CREATE OR REPLACE TABLE provision.coded (a Int32, b String) ENGINE = MergeTree ORDER BY a")
    fields = {"Content__Encoding": coding} if coding else {}
    answer, content = ask("INSERT INTO provision.coded FORMAT CSV", encode(b"1,x\n2,y\n"), **fields)
    assert (answer.status, content) == (200, b"")
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    ask("", b"INSERT INTO provision.coded FORMAT TSV\n3\tz\n")
    ask("INSERT INTO provision.coded VALUES (4,", b"'w')")
    assert ask("SELECT groupArray(b) FROM (SELECT * FROM provision.coded ORDER BY a)")[1] == b"['x','y','z','w']\n"


def test_insert_of_rows_that_a_constraint_refuses_is_told(ask: Ask) -> None:
    columns = "(n UInt8, CONSTRAINT small CHECK n < 9)"
    ask(f"CREATE OR REPLACE TABLE provision.bounded {columns} ENGINE = MergeTree ORDER BY n")
    answer, content = ask("INSERT INTO provision.bounded FORMAT CSV", b"1\n10\n")
    assert (answer.status >= 400, b"Constraint `small`" in content) == (True, True)
    assert ask("SELECT count() FROM provision.bounded")[1] == b"0\n"


@pytest.mark.parametrize("settings", [b"", b" SETTINGS input_format_null_as_default = 1"])
def test_insert_keeps_every_byte_of_binary_data(ask: Ask, settings: bytes) -> None:
    ask("CREATE OR REPLACE TABLE provision.bytes (n UInt32, s String) ENGINE = MergeTree ORDER BY n")
    # 2,570 is two ends of line.
    _, rows = ask(
        "SELECT toUInt32(number) AS n, concat('a;\n\n', unhex('00FF3B0A')) AS s FROM numbers(6000) FORMAT Native"
    )
    answer, content = ask(f"INSERT INTO provision.bytes (n, s){settings.decode()} FORMAT Native", rows)
    assert (answer.status, content) == (200, b"")
    assert (
        ask("SELECT count(), sum(n), uniq(s), any(hex(s)) FROM provision.bytes")[1]
        == b"6000\t17997000\t1\t613B0A0A00FF3B0A\n"
    )


def test_broken_insert_leaves_nothing(ask: Ask) -> None:
    ask("CREATE OR REPLACE TABLE provision.broken (a Int32) ENGINE = MergeTree ORDER BY a")
    answer, content = ask("INSERT INTO provision.broken FORMAT CSV", b"1\n2\nthree\n" + b"4\n" * 500_000)
    assert (answer.status, content[:9]) == (400, b"Code: 117")
    assert ask("INSERT INTO provision.nowhere FORMAT CSV", b"4\n" * 500_000)[0].status == 404
    assert ask("SELECT count() FROM provision.broken")[1] == b"0\n"


@pytest.mark.parametrize("coding", ["gzip", "lz4", "deflate"])
@pytest.mark.parametrize("rows", [10, 100_000])
def test_answer_is_coded_when_asked(ask: Ask, coding: str, rows: int) -> None:
    query = f"SELECT number FROM numbers({rows})"
    answer, content = ask(query, enable_http_compression="1", Accept__Encoding=coding)
    assert answer.headers["Content-Encoding"] == coding
    decode: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress, "lz4": lz4.frame.decompress, "deflate": zlib.decompress
    }  # fmt: skip
    assert decode[coding](content) == b"".join(b"%d\n" % number for number in range(rows))
    assert "Content-Encoding" not in ask(query, Accept__Encoding=coding)[0].headers


def test_get_changes_nothing(ask: Ask) -> None:
    answer, content = ask("CREATE TABLE provision.got (a Int8) ENGINE = Log", None, "GET")
    assert (answer.status, content[:10]) == (500, b"Code: 164.")
    assert ask("SELECT getSetting('max_threads')", None, "GET", max_threads="1")[1] == b"1\n"


@pytest.mark.parametrize(
    ("fields", "state", "code"),
    [
        ({"nope": "1"}, 404, 115),
        ({"a'b": "1"}, 404, 115),
        ({"database": "nowhere"}, 404, 81),
        ({"compress": "1"}, 501, 48),
        ({"session_id": "s", "session_check": "1"}, 500, 372),
        ({"session_id": "s", "session_timeout": "x"}, 500, 374),
        ({"max_threads": "many"}, 400, 27),
    ],
)
def test_bad_parameters_are_refused(ask: Ask, fields: dict[str, str], state: int, code: int) -> None:
    answer, _ = ask("SELECT 1", **fields)
    assert answer.headers["X-ClickHouse-Exception-Code"] == str(code)
    assert answer.status == state


def test_empty_statement_and_header_injection(ask: Ask) -> None:
    assert ask("-- nothing")[0].headers["X-ClickHouse-Exception-Code"] == "62"
    answer, _ = ask("SELECT 1", query_id="a\r\nX-Evil: 1")
    assert (answer.headers["X-Evil"], answer.headers["X-ClickHouse-Query-Id"]) == (None, "aX-Evil: 1")


def test_stop_ends_running_statements_and_keeps_what_was_acknowledged(root: Path) -> None:
    made = engine("clickhouse", "clickhouse", root)
    status = made.start()
    put(status, 1)
    url = urlsplit(status.url or "")
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0)
    login = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": url.password or ""}
    slow = "INSERT INTO provision.kept SELECT 2 + sleepEachRow(0.1) FROM numbers(600) SETTINGS max_block_size = 1"
    connection.request("POST", f"/?query={quote(slow)}", headers=login)
    asked = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT%'"
    assert wait_until(lambda: request(status, asked)[1] == b"1\n", 5)
    assert made.stop()
    assert status.pid is not None
    assert not alive(status.pid)
    connection.close()
    assert kept(made.start())[0] == 1
