"""Questions asked without clickhouse-connect: the same answers, and the driver's own words for everything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from urllib.parse import quote, urlsplit

import clickhouse_connect
import pytest

from provision.errors import ConfigError, UnreachableError
from provision.model.partitions import Interval, PartitionSet, TableWindows, Unit
from provision.stores.clickhouse.partitions.look import look
from provision.stores.clickhouse.plain import NotPlain, Rows, _rows, opened
from provision.stores.clickhouse.server import Client, ServerRefused

_NAMES = count(1)
MOMENT = "toDateTime64('2026-01-02 03:04:05.678901', 6, 'UTC')"


def asked_by_driver(client: Client) -> bool:
    return client._made is not None


@pytest.fixture
def url(clickhouse_embedded: str) -> Iterator[str]:
    """The url of a database of its own."""
    base = clickhouse_embedded.rpartition("/")[0]
    name = f"plain_{next(_NAMES)}"
    with clickhouse_connect.get_client(dsn=f"{base}/default".replace("clickhouse://", "http://", 1)) as client:
        client.command(f"CREATE DATABASE {name}")
        yield f"{base}/{name}"
        client.command(f"DROP DATABASE {name}")


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    made = Client(url, "events")
    yield made
    made.close()


def answers(url: str, sql: str) -> tuple[Rows, Rows]:
    """What is answered plainly, and by the driver."""
    plain, driven = Client(url, "events"), Client(url, "events")
    driven.driver()
    found = plain.question(sql), driven.question(sql)
    assert (asked_by_driver(plain), asked_by_driver(driven)) == (False, True)
    plain.close()
    driven.close()
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'ü\\t\\n\\\\\"\\'' AS a, '' AS b",
        "SELECT toUInt64(18446744073709551615) AS a, toInt64(-9223372036854775808) AS b, toUInt8(1) AS c",
        f"SELECT {MOMENT} AS at",
        "SELECT toDateTime64('2026-01-02 03:04:05', 6, 'UTC') AS at",
        "SELECT number, toString(number) FROM numbers(3) ORDER BY number DESC",
        "SELECT currentDatabase()",
    ],
)
def test_answers_are_those_of_the_driver(url: str, sql: str) -> None:
    plain, driven = answers(url, sql)
    assert plain == driven


def test_no_rows_are_no_rows(url: str) -> None:
    plain, driven = (found for _, found in answers(url, "SELECT 1 AS a WHERE 0"))
    assert plain == driven == []


def test_version_is_that_of_the_driver(client: Client) -> None:
    assert not asked_by_driver(client)
    assert client.version == str(client.driver().server_version)


def test_parameters_are_bound_by_the_server(client: Client) -> None:
    assert client.question("SELECT {a:String} AS a, {b:UInt8} AS b", {"a": "x/y z", "b": 7}) == (
        ["a", "b"],
        [("x/y z", 7)],
    )
    assert not asked_by_driver(client)
    assert client.question("SELECT {a:String}", {"a": "a\\tb'"})[1] == [("a\\tb'",)]
    assert asked_by_driver(client)


@pytest.mark.parametrize("sql", ["SELECT 1.5", "SELECT [1]", "SELECT unhex('ff')", "SELECT CAST(1, 'Nullable(UInt8)')"])
def test_what_is_no_plain_value_is_read_by_the_driver(client: Client, sql: str) -> None:
    client.question(sql)
    assert asked_by_driver(client)


def test_windows_of_tables_are_looked_at_without_the_driver(url: str, client: Client) -> None:
    names = ("a", "b")
    with clickhouse_connect.get_client(dsn=url.replace("clickhouse://", "http://", 1)) as other:
        for name in names:
            other.command(
                f"CREATE TABLE {name} (at DateTime('UTC')) ENGINE = MergeTree ORDER BY at PARTITION BY toYYYYMM(at)"
            )
            other.command(f"INSERT INTO {name} VALUES ('2026-01-02 00:00:00')")
    month = Interval(1, Unit.MONTH)
    found = look(client, [PartitionSet(each, "events", each, "at", month, 1, 1, "", "", "") for each in names])

    rows = [[window.rows for window in each.windows] for each in found.values() if isinstance(each, TableWindows)]
    assert rows == [[1], [1]]
    assert not asked_by_driver(client)


def test_refusal_is_worded_by_the_driver(client: Client) -> None:
    with pytest.raises(ServerRefused) as refused:
        client.question("SELECT * FROM nowhere")
    assert refused.value.number == 60
    assert asked_by_driver(client)


def test_refusal_in_the_middle_of_an_answer_is_none(client: Client) -> None:
    sql = "SELECT toString(throwIf(number = 200000, 'too many')) FROM numbers(300000) SETTINGS max_block_size = 1000"
    with pytest.raises(ServerRefused, match="too many"):
        client.question(sql)


def test_from_the_first_change_on_there_is_the_driver_alone(client: Client) -> None:
    client.command("CREATE TABLE t (x UInt8) ENGINE = Memory")
    assert client._plain is None
    assert client.question("SELECT count() FROM t")[1] == [(0,)]


def test_wrong_password_is_worded_by_the_driver(url: str) -> None:
    parts = urlsplit(url)
    wrong = parts._replace(netloc=f"{parts.username}:{quote('w@rong')}@{parts.hostname}:{parts.port}").geturl()
    with pytest.raises(ConfigError) as refused:
        Client(wrong, "events")
    assert refused.value.code == "wrong-password"


def test_port_that_nobody_listens_at_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="nothing listens there"):
        Client("clickhouse://127.0.0.1:1/x", "events")


@pytest.mark.parametrize(
    "url",
    [
        "clickhouses://h/x",
        "https://h/x",
        "http://h/x?connect_timeout=3",
        "http://h/x#a",
        "http:///x",
        "http://h:port/x",
    ],
)
def test_url_that_says_more_is_not_opened(url: str) -> None:
    assert opened(url) is None


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_proxy_is_the_business_of_the_driver(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert opened("http://h/x") is not None
    monkeypatch.setenv(name, "http://proxy:3128")
    assert opened("http://h/x") is None


def answer(kind: str, value: str, rows: int = 1) -> bytes:
    return f'{{"meta": [{{"name": "a", "type": "{kind}"}}], "data": [[{value}]], "rows": {rows}}}'.encode()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (answer("UInt64", '"12"'), 12),
        (answer("UInt64", "12"), 12),
        (answer("DateTime64(6, 'UTC')", '"2026-01-02 03:04:05.000006"'), datetime(2026, 1, 2, 3, 4, 5, 6)),
        (answer("DateTime", '"2026-01-02 03:04:05"'), datetime(2026, 1, 2, 3, 4, 5)),
    ],
)
def test_values_are_read_however_the_server_writes_numbers(data: bytes, value: object) -> None:
    assert _rows(data) == (["a"], [(value,)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        answer("String", '"a"')[:-1],
        answer("String", '"\xff"').replace("ÿ".encode(), b"\xff"),
        answer("String", "null"),
        answer("String", '"a"', rows=2),
        answer("String", '"a", "b"'),
        answer("Float64", "1.5"),
        answer("DateTime64(6, 'UTC')", '"2026-01-02T03:04:05.000006Z"'),
        answer("DateTime64(6, 'UTC')", '"2026-13-02 03:04:05.000006"'),
    ],
)
def test_whatever_is_no_plain_answer_is_left_to_the_driver(data: bytes) -> None:
    with pytest.raises(NotPlain):
        _rows(data)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1 + 1 2", r"position 14 .*Expected one of: (?:[^,]+, ){4}[^,]+ or \d+ others\. \(SYNTAX_ERROR\)"),
        (
            "ALTER TABLE t ADD COLUM a Int8",
            r"Maybe you meant: COLUMN\. Expected one of: COLUMN, INDEX, STATISTICS, PROJECTION, CONSTRAINT",
        ),
    ],
    ids=["dozens", "a few"],
)
def test_what_the_parser_would_have_taken_is_named_in_short(client: Client, sql: str, said: str) -> None:
    with pytest.raises(ServerRefused, match=said) as refused:
        client.command(sql)
    assert len(refused.value.what) < 300
