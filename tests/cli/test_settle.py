"""`baseline` and `resolve`: a person's word, in the ledger and in the other tool's table."""

from __future__ import annotations

import json
import os
from pathlib import Path

import clickhouse_connect
import psycopg
import pytest

from tests.expected import Expected
from tests.servers.command_line import Provision


@pytest.mark.usefixtures("small")
def test_baseline_marks_the_revision_and_all_below_in_other_stores_too(
    expected: Expected, provision: Provision
) -> None:
    ran = provision("baseline", "clickhouse/002")
    assert (ran.code, ran.err) == (0, "")
    expected(ran.out)
    assert _alembic() == [("0002",)]
    assert _clickhouse("SELECT version FROM schema_versions ORDER BY version") == [(1,), (2,)]
    assert _clickhouse("SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'events'") == []
    assert [each["id"] for each in _pending(provision)] == ["postgres/0003", "redis/0001", "redis/0002"]


@pytest.mark.usefixtures("small")
def test_baseline_all_only_leaves_the_other_stores(provision: Provision) -> None:
    ran = provision("baseline", "--all", "--only", "redis", "-o", "json")
    assert (ran.code, json.loads(ran.out)) == (0, {"baselined": ["redis/0001", "redis/0002"]})
    assert len(_pending(provision)) == 5


@pytest.mark.usefixtures("small")
def test_baseline_keeps_what_is_applied_below(provision: Provision) -> None:
    provision("up", "postgres/0001")
    assert provision("baseline", "postgres/0002").out.startswith("  ✓ postgres/0002  marked")
    assert "baselined" not in provision("history", "postgres/0001").out


@pytest.mark.usefixtures("small")
def test_baseline_of_applied_is_refused(provision: Provision) -> None:
    provision("up", "redis/0001")
    assert provision("baseline", "redis/0001") == (
        3,
        "",
        "error[already-applied]: redis/0001 is applied already\n  fix    `provision status --all` shows it\n",
    )


@pytest.mark.usefixtures("small")
def test_baseline_all_of_complete_marks_nothing(provision: Provision) -> None:
    provision("baseline", "--all")
    before = provision("history", "--output", "json").out
    assert provision("baseline", "--all") == (0, "nothing to mark: everything is applied\n", "")
    assert json.loads(provision("baseline", "--all", "--output", "json").out)["baselined"] == []
    assert provision("history", "--output", "json").out == before


@pytest.mark.usefixtures("small")
def test_baseline_of_what_alembic_applied_points_to_up(provision: Provision) -> None:
    provision("up", "postgres/0001")
    _stamp("0002")
    assert provision("baseline", "postgres/0002").err == (
        "error[already-applied]: postgres/0002 is applied already\n"
        "  fix    `provision up` records what another tool applied\n"
    )
    assert provision("up", "postgres/0001").code == 0
    assert "adopted" in provision("history", "postgres/0002").out


@pytest.mark.usefixtures("small")
def test_baseline_of_what_alembic_reverted_leaves_a_legal_ledger(provision: Provision) -> None:
    provision("up", "postgres/0002")
    _stamp("0001")
    assert provision("baseline", "postgres/0002").code == 0
    assert provision("history", "postgres/0002").out.splitlines() == [
        "TIME UTC  postgres/0002  applied N ms  run 1  SOMEBODY",
        "TIME UTC  postgres/0002  reverted                      run 2  SOMEBODY",
        "                         by another tool",
        "TIME UTC  postgres/0002  baselined                     run 2  SOMEBODY",
    ]
    assert provision("status", "--only", "postgres").code == 0


def test_baseline_with_an_edited_revision_is_refused(small: Path, provision: Provision) -> None:
    provision("up", "clickhouse/001")
    _edit(small / "clickhouse" / "001_events.sql", "-- edited\n")
    ran = provision("baseline", "clickhouse/002")
    assert (ran.code, ran.err.splitlines()[0]) == (
        3,
        "error[revision-changed]: clickhouse/001_events was edited after it was applied",
    )
    assert _clickhouse("SELECT version FROM schema_versions") == [(1,)]


@pytest.mark.parametrize("arguments", [(), ("postgres/0001", "--all")])
@pytest.mark.usefixtures("files")
def test_baseline_without_one_clear_wish_is_refused(provision: Provision, arguments: tuple[str, ...]) -> None:
    assert provision("baseline", *arguments, "--env", "test") == (
        2,
        "",
        "error[usage]: baseline needs to know what is there already\n  fix    name revisions, or --all\n",
    )


@pytest.mark.usefixtures("small")
def test_baseline_unknown_revision_is_refused(provision: Provision) -> None:
    assert provision("baseline", "redis/0009").err.startswith(
        "error[no-such-revision]: no revision is called redis/0009"
    )


def test_resolve_accept_change_takes_the_file_as_it_is(small: Path, provision: Provision) -> None:
    provision("up", "clickhouse/001")
    _edit(small / "clickhouse" / "001_events.sql", "-- edited\n")
    ran = provision("resolve", "clickhouse/001", "--accept-change", "--reason", "a comment", "-o", "json")
    assert json.loads(ran.out) == {
        "resolved": {
            "id": "clickhouse/001",
            "state": "applied",
            "accepted": True,
            "done_to": None,
            "reason": "a comment",
        }
    }
    assert provision("up", "--allow-destructive").code == 0
    assert provision("history", "clickhouse/001").out.splitlines()[2:] == [
        "TIME UTC  clickhouse/001  change accepted               run 2  SOMEBODY",
        "                         reason: a comment",
    ]


def test_resolve_accept_change_renews_the_peers_checksum(small: Path, provision: Provision) -> None:
    provision("up", "clickhouse/001")
    before = _clickhouse("SELECT md5 FROM schema_versions")
    _edit(small / "clickhouse" / "001_events.sql", "-- edited\n")
    provision("resolve", "clickhouse/001", "--accept-change")
    after = _clickhouse("SELECT md5 FROM schema_versions")
    assert (len(after), after == before) == (1, False)


@pytest.mark.usefixtures("small")
def test_resolve_accept_change_of_unchanged_is_refused(expected: Expected, provision: Provision) -> None:
    provision("up", "redis/0001")
    ran = provision("resolve", "redis/0001", "--accept-change")
    assert (ran.code, ran.out) == (3, "")
    expected(ran.err)


@pytest.mark.usefixtures("small")
def test_resolve_pending_revision_is_refused(expected: Expected, provision: Provision) -> None:
    expected(provision("resolve", "redis/0001", "--applied").err)


@pytest.mark.parametrize(
    ("word", "state", "follows", "versions"),
    [
        ("--applied", "applied", ": nothing more of it is sent", [(1,)]),
        ("--pending", "pending", ": the next `up` runs it from statement 1", []),
        ("--reverted", "reverted", "", []),
    ],
)
def test_resolve_open_revision_keeps_the_peer_in_step(
    small: Path, provision: Provision, word: str, state: str, follows: str, versions: list[tuple[int]]
) -> None:
    _edit(small / "clickhouse" / "001_events.sql", "INSERT INTO nowhere VALUES (1);\n")
    assert provision("up", "clickhouse/001").code == 5
    assert provision("resolve", "clickhouse/001", word) == (0, f"  ✓ clickhouse/001  is now {state}{follows}\n", "")
    assert _clickhouse("SELECT version FROM schema_versions") == versions
    clickhouse = json.loads(provision("status", "-o", "json").out)["stores"][1]
    assert (clickhouse["revisions"][0]["state"], clickhouse["revisions"][0]["flags"]) == (state, [])


def test_resolve_unknown_revision_as_reverted_steps_alembic_back(small: Path, provision: Provision) -> None:
    provision("up", "--allow-destructive")
    (small / "alembic" / "versions" / "0003_order_notes.py").unlink()
    assert provision("resolve", "postgres/0003", "--reverted") == (0, "  ✓ postgres/0003  is now reverted\n", "")
    assert _alembic() == [("0002",)]
    assert provision("status", "--only", "postgres").out.splitlines()[-1] == "everything is applied"


def test_resolve_unknown_revision_below_another_is_refused(
    expected: Expected, small: Path, provision: Provision
) -> None:
    provision("up", "postgres/0003", "--allow-destructive")
    for name in ("0002_orders.py", "0003_order_notes.py"):
        (small / "alembic" / "versions" / name).unlink()
    (small / "clickhouse" / "002_event_counts.sql").unlink()
    (small / "clickhouse" / "002_event_counts.down.sql").unlink()
    ran = provision("resolve", "postgres/0002", "--reverted")
    assert (ran.code, ran.out) == (3, "")
    expected(ran.err)
    assert provision("resolve", "postgres/0003", "--reverted").code == 0
    assert provision("resolve", "postgres/0002", "--reverted").code == 0
    assert _alembic() == [("0001",)]


def test_resolve_changed_as_pending_under_others_is_refused(
    expected: Expected, small: Path, provision: Provision
) -> None:
    provision("up", "postgres/0002", "redis/0002")
    _edit(small / "clickhouse" / "001_events.sql", "-- edited\n")
    expected(provision("resolve", "clickhouse/001", "--pending").err)


@pytest.mark.usefixtures("small")
def test_resolve_settles_a_ledger_that_does_not_add_up(provision: Provision) -> None:
    provision("up", "postgres/0001")
    with _postgres() as connection:
        connection.execute(
            "INSERT INTO provision.ledger SELECT project, store, token, 99, revision, 'at', checksum, at, actor,"
            " duration_ms, statement, detail FROM provision.ledger"
        )
    assert provision("status").err.startswith("error[ledger-illegal]: postgres/0001 is applied, but its ledger goes on")
    assert provision("resolve", "postgres/0001", "--applied") == (
        0,
        "  ✓ postgres/0001  is now applied: nothing more of it is sent\n",
        "",
    )
    assert provision("status", "--only", "postgres").code == 0


@pytest.mark.usefixtures("small")
def test_resolve_works_while_another_store_is_away(
    provision: Provision, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision("up", "clickhouse/001")
    _edit(small / "clickhouse" / "001_events.sql", "-- edited\n")
    monkeypatch.setenv("SMALL_REDIS", "redis://127.0.0.1:1/0")
    assert provision("resolve", "clickhouse/001", "--accept-change").code == 0
    monkeypatch.setenv("SMALL_POSTGRES", "postgresql://nobody@127.0.0.1:1/small")
    ran = provision("resolve", "clickhouse/001", "--accept-change")
    assert (ran.code, ran.err.startswith("error[unreachable]: postgres does not answer")) == (4, True)


@pytest.mark.parametrize(
    ("words", "count"), [((), 0), (("--applied", "--pending"), 2), (("--applied", "--done-to", "1"), 2)]
)
@pytest.mark.usefixtures("files")
def test_resolve_takes_one_answer(provision: Provision, words: tuple[str, ...], count: int) -> None:
    assert provision("resolve", "redis/0001", *words) == (
        2,
        "",
        f"error[usage]: resolve takes one answer, not {count}\n"
        "  fix    say one of --applied, --pending, --done-to N, --reverted, --accept-change\n",
    )


FOUR = "CREATE TABLE {0}1 ENGINE = Log AS SELECT 1;\nCREATE TABLE {0}2 ENGINE = Log AS SELECT 1;\n"


def _half(small: Path, provision: Provision) -> Path:
    """A revision of ClickHouse of four statements, of which the third fails."""
    provision("up", "--allow-destructive")
    file = small / "clickhouse" / "003_half.sql"
    file.write_text(f"{FOUR.format('a')}INSERT INTO nowhere VALUES (1);\nCREATE TABLE a4 ENGINE = Log AS SELECT 1;\n")
    file.with_suffix(".down.sql").write_text("DROP TABLE a4;\nDROP TABLE nowhere;\nDROP TABLE a2;\nDROP TABLE a1;\n")
    assert provision("up").code == 5
    return file


def _tables() -> list[object]:
    sql = "SELECT name FROM system.tables WHERE database = currentDatabase() AND match(name, '^a[0-9]$') ORDER BY 1"
    return [name for (name,) in _clickhouse(sql)]


def test_resolve_done_to_goes_on_behind_what_is_done(small: Path, provision: Provision) -> None:
    _half(small, provision)
    assert provision("resolve", "clickhouse/003", "--done-to", "3", "--reason", "by hand") == (
        0,
        "  ✓ clickhouse/003  statements 1 to 3 are done: the next `up` goes on with statement 4\n",
        "",
    )
    assert "goes on with statement 4, as SOMEBODY said" in provision("status").out
    assert provision("up").code == 0
    assert _tables() == ["a1", "a2", "a4"]
    shown = provision("history", "clickhouse/003").out
    assert "done to 3" in shown
    assert "reason: by hand" in shown


def test_resolve_done_to_of_a_down_goes_on_downwards(small: Path, provision: Provision) -> None:
    _half(small, provision)
    provision("resolve", "clickhouse/003", "--done-to", "3")
    provision("up")
    assert provision("down", "--steps", "1", "--only", "clickhouse", "--allow-destructive").code == 5
    ran = provision("resolve", "clickhouse/003", "--done-to", "2", "-o", "json")
    assert json.loads(ran.out) == {
        "resolved": {"id": "clickhouse/003", "state": "started", "accepted": False, "done_to": 2, "reason": None}
    }
    assert provision("down", "clickhouse/002", "--only", "clickhouse", "--allow-destructive").code == 0
    assert _tables() == []


def test_resolve_done_to_all_is_applied_by_up(small: Path, provision: Provision) -> None:
    _half(small, provision)
    assert provision("resolve", "clickhouse/003", "--done-to", "4").code == 0
    assert provision("up").code == 0
    assert _tables() == ["a1", "a2"]
    assert _clickhouse("SELECT max(version) FROM schema_versions") == [(3,)]


def test_resolve_done_to_what_was_done_again_is_sent_again(small: Path, provision: Provision) -> None:
    file = _half(small, provision)
    _clickhouse_do("DROP TABLE a2")
    file.write_text(
        file.read_text().replace("INSERT INTO nowhere VALUES (1)", "CREATE TABLE a3 ENGINE = Log AS SELECT 1")
    )
    assert provision("resolve", "clickhouse/003", "--done-to", "1").code == 0
    assert provision("up").code == 0
    assert _tables() == ["a1", "a2", "a3", "a4"]


@pytest.mark.parametrize("number", ["0", "5", "-1"])
def test_resolve_done_to_out_of_range_is_refused(small: Path, provision: Provision, number: str) -> None:
    _half(small, provision)
    assert provision("resolve", "clickhouse/003", "--done-to", number) == (
        2,
        "",
        f"error[usage]: clickhouse/003 has 4 statements: --done-to {number} says nothing of it\n"
        "  where  clickhouse/003_half.sql\n"
        "  fix    name the last statement that is done, 1 to 4; `provision resolve clickhouse/003 --pending` where none"
        " is\n",
    )


@pytest.mark.parametrize("name", ["redis/0001", "postgres/0001"])
@pytest.mark.usefixtures("small")
def test_resolve_done_to_of_what_is_not_half_applied_is_refused(provision: Provision, name: str) -> None:
    provision("up", "postgres/0001", "redis/0001")
    ran = provision("resolve", name, "--done-to", "1")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(
        f"error[nothing-to-resolve]: {name} is applied and its file is as it was: there is nothing to resolve\n"
    )


def _postgres() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True)


def _alembic() -> list[tuple[object, ...]]:
    with _postgres() as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()


def _stamp(number: str) -> None:
    with _postgres() as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (number,))


def _clickhouse(query: str) -> list[tuple[object, ...]]:
    with clickhouse_connect.get_client(dsn=os.environ["SMALL_CLICKHOUSE"]) as client:
        return [tuple(row) for row in client.query(query).result_rows]


def _clickhouse_do(statement: str) -> None:
    with clickhouse_connect.get_client(dsn=os.environ["SMALL_CLICKHOUSE"]) as client:
        client.command(statement)


def _pending(provision: Provision) -> list[dict[str, object]]:
    stores = json.loads(provision("status", "-o", "json").out)["stores"]
    return [each for store in stores for each in store["revisions"] if each["state"] == "pending"]


def _edit(file: Path, more: str) -> None:
    file.write_text(file.read_text() + more)
