"""`clickhouse-migrations` and `provision` on the same folder and database agree; nothing is sent twice unseen."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

from provision.model import StoreOptions
from provision.stores.clickhouse.ledger import ClickhouseLedger
from provision.stores.clickhouse.store import ClickhouseStore
from tests.servers.command_line import Ran
from tests.stores.postgres.projects import BIN, Provision, at
from tests.stores.postgres.wire import losing

_NAMES = itertools.count(1)
_TOML = """\
[project]
name = "peers"
home = "none"
[stores.clickhouse]
{store}
[environments.test]
clickhouse.url = "${{PEERS_URL}}"
"""


@dataclass
class Clickhouse:
    """A folder of clickhouse-migrations files, and the database that they make."""

    root: Path
    url: str
    provision: Provision

    def write(self, number: int, up: str, down: str = "") -> None:
        (self.root / "clickhouse").mkdir(exist_ok=True)
        (self.root / "clickhouse" / f"{number:03d}_step.sql").write_text(up)
        if down:
            (self.root / "clickhouse" / f"{number:03d}_step.down.sql").write_text(down)

    def tables(self, count: int) -> None:
        for number in range(1, count + 1):
            made = f"CREATE TABLE t{number} (x Int32) ENGINE = MergeTree ORDER BY x;\n"
            self.write(number, made, f"DROP TABLE t{number};\n")

    def configure(self, store: str) -> None:
        (self.root / "provision.toml").write_text(_TOML.format(store=store))

    def up(self, *arguments: str) -> Ran:
        ran = self.provision("up", "--no-lock", *arguments)
        assert ran.code == 0, ran.out + ran.err
        return ran

    def theirs(self, command: str, *arguments: str) -> str:
        """What clickhouse-migrations prints; it must end with 0."""
        asked = [BIN / "clickhouse-migrations", command, "--driver", "clickhouse-connect", "--db-url", self.url]
        folder = ["--migrations-dir", self.root / "clickhouse"]
        done = subprocess.run([*asked, *folder, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def states(self) -> list[str]:
        """The states that clickhouse-migrations reports, in order."""
        words = [line.split() for line in self.theirs("status").split("\n")]
        known = ("applied", "pending", "md5-mismatch", "unknown")
        return [next(word for word in line if word in known) for line in words if set(line) & set(known)]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with clickhouse_connect.get_client(dsn=at(self.url, "default").replace("clickhouse://", "http://")) as client:
            return [tuple(row) for row in client.query(sql.replace("{db}", self.database)).result_rows]

    def events(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT revision, kind FROM {db}.provision_ledger ORDER BY token, n")

    @property
    def database(self) -> str:
        return urlsplit(self.url).path.strip("/")


@pytest.fixture
def clickhouse(
    root: Path, clickhouse_embedded: str, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clickhouse]:
    """An empty folder, and a database that is still to be made."""
    url = at(clickhouse_embedded, f"peers_{next(_NAMES)}")
    monkeypatch.setenv("PEERS_URL", url)
    project = Clickhouse(root, url, provision)
    project.configure("")
    yield project
    with clickhouse_connect.get_client(dsn=at(url, "default").replace("clickhouse://", "http://")) as client:
        client.command(f"DROP DATABASE IF EXISTS {project.database}")


def test_up_applied_by_the_cli_is_adopted_and_the_rest_is_applied(clickhouse: Clickhouse) -> None:
    clickhouse.tables(4)
    clickhouse.theirs("migrate", "--to", "2")

    ran = clickhouse.up()

    assert "recorded clickhouse/002 as adopted" in ran.out
    assert [kind for _, kind in clickhouse.events()] == ["adopted"] * 2 + ["started", "applied"] * 2
    assert clickhouse.states() == ["applied"] * 4
    clickhouse.theirs("migrate")
    assert "nothing to do" in clickhouse.up().out


def test_up_reverted_by_the_cli_is_recorded_and_applied_again(clickhouse: Clickhouse) -> None:
    clickhouse.tables(3)
    clickhouse.up()
    clickhouse.theirs("down", "--steps", "1")

    clickhouse.up()

    assert clickhouse.events()[6:] == [
        ("clickhouse/003", "reverted"),
        ("clickhouse/003", "started"),
        ("clickhouse/003", "applied"),
    ]
    assert clickhouse.states() == ["applied"] * 3


def test_cli_and_up_in_turn_end_with_the_same_tables(clickhouse: Clickhouse) -> None:
    clickhouse.tables(4)
    clickhouse.up("--steps", "1")
    clickhouse.theirs("migrate", "--to", "2")
    clickhouse.up("--steps", "1")
    clickhouse.theirs("migrate")
    assert clickhouse.states() == ["applied"] * 4

    done = clickhouse.provision("down", "--all", "--no-lock", "--allow-destructive")

    assert done.code == 0, done.err
    assert clickhouse.states() == ["pending"] * 4
    tables = clickhouse.rows("SELECT name FROM system.tables WHERE database = '{db}' ORDER BY name")
    assert tables == [("provision_ledger",), ("schema_versions",)]


def test_version_table_of_provision_toml_is_the_one_that_the_cli_reads(clickhouse: Clickhouse) -> None:
    clickhouse.configure('version_table = "moved"')
    clickhouse.tables(2)
    clickhouse.up()

    assert "2 applied" not in clickhouse.theirs("status")
    assert clickhouse.theirs("status", "--migrations-table", "moved").count("applied") >= 2


def test_answer_that_is_lost_is_not_sent_again_and_the_next_up_counts_it_as_done(
    clickhouse: Clickhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clickhouse.tables(2)
    parts = urlsplit(clickhouse.url)
    with losing(int(parts.port or 0), b"\r\n\r\nCREATE TABLE t2") as wire:
        monkeypatch.setenv("PEERS_URL", clickhouse.url.replace(f":{parts.port}/", f":{wire.port}/"))
        ran = clickhouse.provision("up", "--no-lock")
        assert wire.arrived == 1
    assert ran.code == 5
    assert "error[server-lost]: clickhouse does not answer" in ran.err
    monkeypatch.setenv("PEERS_URL", clickhouse.url)

    clickhouse.up()

    assert [kind for _, kind in clickhouse.events()] == ["started", "applied"] * 2
    assert clickhouse.states() == ["applied"] * 2


def test_insert_whose_answer_is_lost_lands_once_by_its_deduplication_token(
    clickhouse: Clickhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = "SETTINGS non_replicated_deduplication_window = 100"
    clickhouse.write(1, f"CREATE TABLE t (x Int32) ENGINE = MergeTree ORDER BY x {window};\n")
    clickhouse.write(2, "INSERT INTO t SELECT number FROM numbers(10) ORDER BY ALL;\n")
    parts = urlsplit(clickhouse.url)
    with losing(int(parts.port or 0), b"\r\n\r\nINSERT INTO t SELECT") as wire:
        monkeypatch.setenv("PEERS_URL", clickhouse.url.replace(f":{parts.port}/", f":{wire.port}/"))
        assert clickhouse.provision("up", "--no-lock").code == 5
        assert wire.arrived == 1
    monkeypatch.setenv("PEERS_URL", clickhouse.url)

    clickhouse.up()

    assert clickhouse.rows("SELECT count() FROM {db}.t") == [(10,)]
    assert clickhouse.events()[-1] == ("clickhouse/002", "applied")


def test_mutation_that_fails_behind_its_answer_is_no_success(clickhouse: Clickhouse) -> None:
    clickhouse.write(1, "CREATE TABLE t (x Int32, y Int32) ENGINE = MergeTree ORDER BY x; INSERT INTO t VALUES (1, 1);")
    clickhouse.write(2, "ALTER TABLE t UPDATE y = throwIf(x = 1, 'refused by its own row') WHERE 1;")

    ran = clickhouse.provision("up", "--no-lock")

    assert ran.code == 5
    assert "refused by its own row" in ran.err
    assert "✓ clickhouse/002" not in ran.out
    clickhouse.rows(f"KILL MUTATION WHERE database = '{clickhouse.database}' SYNC")


def test_mutation_is_applied_once_its_rows_are_changed(clickhouse: Clickhouse) -> None:
    rows = "INSERT INTO t SELECT number, 0 FROM numbers(1000000);"
    clickhouse.write(1, f"CREATE TABLE t (x Int32, y Int32) ENGINE = MergeTree ORDER BY x; {rows}")
    clickhouse.write(2, "ALTER TABLE t UPDATE y = sleepEachRow(0.000001) + 1 WHERE 1;")

    clickhouse.up()

    assert clickhouse.rows(f"SELECT count() FROM {clickhouse.database}.t WHERE y = 0") == [(0,)]


def test_variables_are_filled_in_what_is_sent_and_not_in_what_is_kept(clickhouse: Clickhouse) -> None:
    clickhouse.configure('variables = { DAYS = "7" }')
    clickhouse.write(1, "CREATE TABLE t (d Date) ENGINE = MergeTree ORDER BY d TTL d + toIntervalDay(${DAYS});\n")

    clickhouse.up()

    (made,) = clickhouse.rows("SELECT create_table_query FROM system.tables WHERE database = '{db}' AND name = 't'")
    assert "toIntervalDay(7)" in made[0]
    (begun,) = clickhouse.rows("SELECT detail FROM {db}.provision_ledger WHERE kind = 'started'")
    assert "toIntervalDay(${DAYS})" in begun[0]
    assert clickhouse.theirs("migrate", "--var", "DAYS=7") is not None


def test_variable_that_is_not_set_is_refused_before_anything_is_sent(clickhouse: Clickhouse) -> None:
    clickhouse.configure('variables = { OTHER = "7" }')
    clickhouse.tables(1)
    clickhouse.write(2, "SELECT ${DAYS};\n")

    ran = clickhouse.provision("up", "--no-lock")

    assert ran.code == 2
    assert "error[unset-variable]" in ran.err
    assert clickhouse.rows("SELECT name FROM system.databases WHERE name = '{db}'") == []


def test_database_is_made_by_up_and_kept_by_down(clickhouse: Clickhouse) -> None:
    clickhouse.tables(1)
    there = "SELECT count() FROM system.databases WHERE name = '{db}'"
    assert clickhouse.rows(there) == [(0,)]

    clickhouse.up()
    assert clickhouse.provision("down", "--all", "--no-lock", "--allow-destructive").code == 0

    assert clickhouse.rows(there) == [(1,)]


@pytest.mark.parametrize(
    "up",
    [
        "CREATE TABLE t (x Int32) ENGINE = MergeTree ORDER BY x",
        "ALTER TABLE base ADD COLUMN y Int32",
        "ALTER TABLE base ADD INDEX i x TYPE minmax",
        "CREATE VIEW v AS SELECT 1",
    ],
)
def test_what_was_made_by_hand_is_gone_behind(clickhouse: Clickhouse, up: str) -> None:
    clickhouse.write(1, "CREATE TABLE base (x Int32) ENGINE = MergeTree ORDER BY x;")
    clickhouse.up()
    with clickhouse_connect.get_client(dsn=clickhouse.url.replace("clickhouse://", "http://", 1)) as client:
        client.command(up)
    clickhouse.write(2, f"{up};\nCREATE TABLE after (x Int32) ENGINE = MergeTree ORDER BY x;")

    ran = clickhouse.provision("up", "--no-lock")
    assert ran.code == 5
    assert "`provision resolve clickhouse/002 --done-to 1` goes on behind it" in ran.err

    assert clickhouse.provision("resolve", "clickhouse/002", "--done-to", "1", "--no-lock").code == 0
    clickhouse.up()
    assert clickhouse.rows("SELECT count() FROM {db}.after") == [(0,)]


class Recorder:
    """Stands in for a client; keeps the statements that it is given."""

    database = "d"

    def __init__(self) -> None:
        self.said: list[str] = []

    def command(self, sql: str, **_: object) -> None:
        self.said.append(" ".join(sql.split()))

    def rows(self, *_: object, **__: object) -> list[tuple[str]]:
        return [("0",)]  # `readonly`: it takes writes


def test_cluster_is_named_in_what_makes_database_and_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Recorder()
    ClickhouseLedger(said, "p", "clickhouse", "main").create()  # type: ignore[arg-type]
    store = ClickhouseStore(StoreOptions("clickhouse", "clickhouse", "p", tmp_path, tmp_path, {"cluster": "main"}))
    monkeypatch.setattr(store, "_client", said)
    monkeypatch.setattr(store, "peer", type("Peer", (), {"create": lambda _: None})(), raising=False)
    store.prepare()

    assert said.said[0].startswith("CREATE TABLE IF NOT EXISTS provision_ledger ON CLUSTER `main` ( project String")
    assert "ENGINE = ReplicatedMergeTree" in said.said[0]
    assert said.said[1] == "CREATE DATABASE IF NOT EXISTS `d` ON CLUSTER `main`"
