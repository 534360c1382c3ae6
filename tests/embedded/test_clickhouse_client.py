"""clickhouse-connect and the clickhouse-migrations CLI on the embedded ClickHouse."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from provision.embedded import EngineStatus

SLOW = """INSERT INTO t SELECT number, toString(sleepEachRow({seconds})) FROM numbers({rows})
SETTINGS max_block_size = 1"""
ROWS = [[number, f"row {number}"] for number in range(2000)]


@pytest.fixture
def client(clickhouse: EngineStatus) -> Iterator[Client]:
    with connected(clickhouse) as client:
        client.command("CREATE OR REPLACE TABLE t (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
        yield client


def connected(status: EngineStatus, **options: object) -> Client:
    """Return a client of clickhouse-connect, with a session of its own as is its default."""
    assert status.url is not None
    return clickhouse_connect.get_client(dsn=status.url, **options)


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_insert_and_query_in_native_format(clickhouse: EngineStatus, compress: str | bool) -> None:
    with connected(clickhouse, compress=compress) as other:
        assert other.insert("t", ROWS, column_names=["a", "b"]).written_rows == 2000
        assert [list(row) for row in other.query("SELECT * FROM t ORDER BY a").result_rows] == ROWS
        with other.query_row_block_stream("SELECT number, toString(number) FROM numbers(300000)") as blocks:
            assert sum(len(block) for block in blocks) == 300_000


def test_parameters_are_bound_by_the_server(client: Client) -> None:
    asked = {"n": 3, "s": "it's\n\\x", "l": ["a'b", "c"]}
    answer = client.query("SELECT {n:UInt32}, {s:String}, {l:Array(String)}", parameters=asked)
    assert answer.result_rows == [(3, "it's\n\\x", ["a'b", "c"])]
    client.command("INSERT INTO t VALUES ({n:UInt32}, {s:String})", parameters=asked)
    client.command("INSERT INTO {t:Identifier} SELECT {n:UInt32}, 'x;y'", parameters={"t": "t", "n": 4})
    assert client.query("SELECT * FROM t ORDER BY a").result_rows == [(3, "it's\n\\x"), (4, "x;y")]


def test_settings_of_a_query_end_with_it(client: Client) -> None:
    asked = "SELECT getSetting('max_threads'), getSetting('log_comment')"
    before = client.query(asked).result_rows
    assert client.query(asked, settings={"max_threads": 3, "log_comment": "p/1"}).result_rows == [(3, "p/1")]
    assert client.query(asked).result_rows == before
    with pytest.raises(DatabaseError) as caught:
        client.command("DROP TABLE t", settings={"readonly": 1})
    assert caught.value.code == 164
    client.command("DROP TABLE t")


def test_session_keeps_settings_and_temporary_tables(client: Client, clickhouse: EngineStatus) -> None:
    client.command("SET max_threads = 5")
    client.command("CREATE TEMPORARY TABLE mine (a Int32)")
    client.insert("mine", [[1], [2]], column_names=["a"])
    asked = "SELECT sum(a), getSetting('max_threads'), getSetting('log_comment') FROM mine"
    assert client.query(asked, settings={"max_threads": 2, "log_comment": "x"}).result_rows == [(3, 2, "x")]
    assert client.query(asked).result_rows == [(3, 5, "")]
    assert client.query("SELECT 1", settings={"readonly": 1}).result_rows == [(1,)]
    with pytest.raises(DatabaseError) as caught:
        client.command("DROP TABLE t", settings={"readonly": 1})
    assert caught.value.code == 164
    assert client.query(asked).result_rows == [(3, 5, "")]
    with connected(clickhouse) as other, pytest.raises(DatabaseError) as caught:
        other.query("SELECT * FROM mine")
    assert (caught.value.code, caught.value.name) == (60, "UNKNOWN_TABLE")


def test_session_whose_setting_cannot_be_undone_ends_with_the_reason(client: Client) -> None:
    client.command("CREATE TEMPORARY TABLE mine (a Int32)")
    client.command("SELECT 1", settings={"allow_ddl": 0})
    with pytest.raises(DatabaseError, match="its state was lost, a setting of a request could not be undone") as caught:
        client.query("SELECT * FROM mine")
    assert caught.value.code == 372


@pytest.mark.parametrize(
    ("statement", "code", "name"),
    [
        ("SELECT 1; SELECT 2", 62, "SYNTAX_ERROR"),
        ("DROP TABLE t; bogus", 62, "SYNTAX_ERROR"),
        ("CREATE TABEL x", 62, "SYNTAX_ERROR"),
        ("1", 62, "SYNTAX_ERROR"),
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
        ("SELECT nothing", 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT 1 INTO OUTFILE 'x'", 358, "INTO_OUTFILE_NOT_ALLOWED"),
    ],
)
def test_errors_carry_code_and_name(client: Client, statement: str, code: int, name: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.command(statement)
    assert (caught.value.code, caught.value.name) == (code, name)
    assert client.command("EXISTS t") == 1


def test_statement_may_end_with_semicolon_and_comment(client: Client) -> None:
    assert client.command("SELECT 1 + 1 ; -- done; really\n") == 2
    client.command("INSERT INTO t VALUES (1, 'a;b''c'), (2, 'x')")
    assert client.command("SELECT count() FROM t") == 2


def test_error_in_mid_stream_reaches_the_client(client: Client) -> None:
    asked = "SELECT number, throwIf(number = 3000000) FROM numbers(10000000)"
    with client.query_row_block_stream(asked) as blocks, pytest.raises(StreamFailureError) as caught:
        list(blocks)
    assert (caught.value.code, caught.value.name) == (395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO")
    assert client.command("SELECT 1") == 1


def test_query_id_is_echoed(client: Client) -> None:
    assert client.query("SELECT 1", settings={"query_id": "mine"}).query_id == "mine"


def test_running_statement_is_found_by_its_mark_and_killed(client: Client, clickhouse: EngineStatus) -> None:
    errors: list[int | None] = []

    def long() -> None:
        with connected(clickhouse) as other, pytest.raises(DatabaseError) as caught:
            other.command(SLOW.format(seconds=0.05, rows=200), settings={"log_comment": "provision/7/x"})
        errors.append(caught.value.code)

    thread = threading.Thread(target=long)
    thread.start()
    asked = "SELECT query FROM system.processes WHERE Settings['log_comment'] = 'provision/7/x'"
    while not (found := client.query(asked).result_rows):
        time.sleep(0.02)
    assert found[0][0].startswith("INSERT INTO t SELECT number")
    client.command("KILL QUERY WHERE Settings['log_comment'] = 'provision/7/x' SYNC")
    thread.join(10)
    assert errors == [394]


def test_statement_goes_on_when_its_client_is_killed(client: Client, clickhouse: EngineStatus) -> None:
    statement = SLOW.format(seconds=0.02, rows=40)
    source = "import clickhouse_connect, sys; clickhouse_connect.get_client(dsn=sys.argv[1]).command(sys.argv[2])"
    process = subprocess.Popen([sys.executable, "-c", source, str(clickhouse.url), statement])
    while not client.query("SELECT 1 FROM system.processes WHERE query LIKE 'INSERT INTO t%'").result_rows:
        time.sleep(0.02)
    process.kill()
    process.wait()
    while client.query("SELECT 1 FROM system.processes WHERE query LIKE 'INSERT INTO t%'").result_rows:
        time.sleep(0.02)
    assert client.command("SELECT count() FROM t") == 40


def test_queries_of_several_clients_run_at_the_same_time(clickhouse: EngineStatus) -> None:
    begin = time.monotonic()
    clients = [connected(clickhouse) for _ in range(4)]
    threads = [threading.Thread(target=client.query, args=("SELECT sleep(0.8)",)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begin < 2.4
    for client in clients:
        client.close()


def test_deduplication_token_mutation_and_ddl(client: Client) -> None:
    client.command("ALTER TABLE t MODIFY SETTING non_replicated_deduplication_window = 100")
    for _ in range(2):
        client.command("INSERT INTO t SELECT 1, 'x' SETTINGS insert_deduplication_token = 'once'")
    assert client.command("SELECT count() FROM t") == 1
    client.command("ALTER TABLE t UPDATE b = 'y' WHERE a = 1 SETTINGS mutations_sync = 2")
    client.command("ALTER TABLE t ADD COLUMN c Int32 DEFAULT a + 1")
    assert client.query("SELECT * FROM t").result_rows == [(1, "y", 2)]


def test_wrong_password_is_refused(clickhouse: EngineStatus) -> None:
    assert clickhouse.url is not None
    port = int(clickhouse.url.rpartition(":")[2].partition("/")[0])
    with pytest.raises(DatabaseError) as caught:
        clickhouse_connect.get_client(host="127.0.0.1", port=port, username="default", password="wrong")
    assert caught.value.code == 516


def test_form_encoded_parameters_work_and_external_tables_are_refused(clickhouse: EngineStatus) -> None:
    from clickhouse_connect.driver.external import ExternalData

    with connected(clickhouse, form_encode_query_params=True) as client:
        assert client.query("SELECT {s:String}", parameters={"s": "it's"}).result_rows == [("it's",)]
        outside = ExternalData(file_name="x", data=b"1\n", fmt="CSV", structure="a UInt8")
        with pytest.raises(DatabaseError) as caught:
            client.query("SELECT * FROM x", external_data=outside)
    assert caught.value.code == 48


def test_migrations_cli_goes_up_and_down(clickhouse: EngineStatus, tmp_path: Path) -> None:
    (tmp_path / "001_two.sql").write_text("CREATE TABLE m1 (a Int8) ENGINE Log; CREATE TABLE m2 (a Int8) ENGINE Log;")
    (tmp_path / "001_two.down.sql").write_text("DROP TABLE m1; DROP TABLE m2;")
    seen = []
    for words in (["migrate"], ["status"], ["down", "--steps", "1"], ["status"]):
        command = [
            str(Path(sys.executable).with_name("clickhouse-migrations")),
            *words,
            "--db-url",
            str(clickhouse.url),
        ]
        command += ["--driver", "clickhouse-connect", "--migrations-dir", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        if words == ["status"]:
            seen.append(done.stdout.splitlines()[-1].split()[1])
    assert seen == ["applied", "pending"]
