"""A version table that lost what the ledger knows: nothing is run again on that, and a person settles it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.servers.command_line import Ran
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project, schema

LOST = {
    "emptied": ("delete from alembic_version", "table alembic_version has 0 rows"),
    "dropped": ("drop table alembic_version", "there is no table alembic_version"),
    "off the search_path": (
        "create schema aside; alter table alembic_version set schema aside",
        "there is no table alembic_version, and one in schema aside, off the search_path",
    ),
    "hidden by row security": (
        "alter table alembic_version enable row level security; alter table alembic_version force row level security;"
        "create role hidden_{database} login; grant all on schema public, provision to hidden_{database};"
        "grant all on all tables in schema public, provision to hidden_{database}",
        "table alembic_version has 0 rows",
    ),
}
COUNT = "select count(*) from t"


@pytest.fixture
def counted(project: Project) -> Project:
    """Three revisions that count how often they ran, applied."""
    environments.written(project.root, environments.PLAIN)
    project.write("0001", 'op.execute("create table if not exists t (x int)")')
    for number in ("0002", "0003"):
        project.write(number, 'op.execute("insert into t values (1)")', 'op.execute("delete from t")')
    project.up()
    return project


def lose(project: Project, statement: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(statement.format(database=named(project)).encode())


def named(project: Project) -> str:
    return urlsplit(project.url).path.strip("/")


def refused(ran: Ran, seen: str) -> None:
    assert ran.code == 3, ran.out + ran.err
    assert ran.err == (
        "error[versions-lost]: the ledger of postgres says that postgres/0001, postgres/0002, postgres/0003 are"
        " applied, and its version table does not know it: nothing is run again on that\n"
        f"  where  postgres: {seen}\n"
        "  fix    look at the database. Is it all there: `provision resolve postgres --applied --env test` writes"
        " the version table again. Was it undone: `provision resolve postgres --reverted --env test`, then"
        " `provision up --env test`\n"
    )


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("command", [("up",), ("up", "--dry-run"), ("down", "--all"), ("plan",)], ids=" ".join)
def test_lost_version_table_is_refused_and_nothing_is_written(
    counted: Project, how: str, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    statement, seen = LOST[how]
    lose(counted, statement)
    events = counted.events()
    if "role" in statement:
        monkeypatch.setenv("PEERS_URL", f"{counted.url}&user=hidden_{named(counted)}")

    refused(counted.provision(*command), seen)

    assert counted.rows(COUNT) == [(2,)]
    assert counted.events() == events


def test_lost_version_table_is_written_again_by_resolve_applied(counted: Project) -> None:
    before = counted.rows("select * from alembic_version")
    lose(counted, "drop table alembic_version")
    ran = counted.provision("up")
    followed = re.findall(r"`provision (resolve \w+ --applied --env \w+)`", ran.err)

    assert counted.done(*followed[0].split()).out.endswith("3 settled\n")

    assert counted.rows("select * from alembic_version") == before
    assert "nothing to do" in counted.up().out
    assert "0003" in counted.alembic("current")
    assert counted.rows(COUNT) == [(2,)]
    counted.done("status", "--check")


def test_what_was_really_undone_is_run_again_after_resolve_reverted(counted: Project) -> None:
    counted.alembic("downgrade", "base")
    lose(counted, "delete from t")
    ran = counted.provision("up")
    followed = re.findall(r"`provision ([^`]+)`", ran.err)[1:]

    for command in followed:
        counted.done(*command.split())

    assert followed == ["resolve postgres --reverted --env test", "up --env test"]
    assert counted.rows(COUNT) == [(2,)]


def test_newest_revisions_undone_by_alembic_are_recorded_as_before(counted: Project) -> None:
    counted.alembic("downgrade", "-1")

    counted.up()

    assert [kind for _, kind in counted.events()][-2:] == ["reverted", "applied"]


def test_version_table_is_written_again_with_a_revision_whose_file_is_gone(counted: Project) -> None:
    file = counted.versions / "0003_step.py"
    text = file.read_text()
    file.unlink()
    lose(counted, "delete from alembic_version")

    counted.done("resolve", "postgres", "--applied")

    assert counted.rows("select version_num from alembic_version") == [("0003",)]
    file.write_text(text)
    assert "nothing to do" in counted.up().out


def test_whole_branch_that_vanished_is_refused(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    toml = project.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.postgres]", '[stores.postgres]\nheads = "many"'))
    project.write("r1", 'op.execute("create table r1 (x int)")')
    project.write("s1", 'op.execute("create table if not exists s1 (x int); insert into s1 values (1)")', parent=None)
    project.up()
    lose(project, "delete from alembic_version where version_num = 's1'")

    ran = project.provision("up")

    assert (ran.code, "error[versions-lost]: the ledger of postgres says that postgres/s1 is" in ran.err) == (3, True)
    assert project.rows("select count(*) from s1") == [(1,)]


def test_status_names_the_way_on(counted: Project) -> None:
    lose(counted, "delete from alembic_version")

    ran = counted.provision("status")

    assert "next: the version table of postgres is lost: provision resolve postgres --applied --env test" in ran.out


def test_resolve_store_that_lost_nothing_is_refused(counted: Project) -> None:
    ran = counted.provision("resolve", "postgres", "--applied")

    assert ran.code == 3
    assert ran.err.startswith(
        "error[nothing-to-resolve]: the version table of postgres has all that its ledger knows\n"
    )
    assert schema(counted.url) != []


def test_resolve_store_takes_applied_or_reverted(counted: Project) -> None:
    lose(counted, "delete from alembic_version")

    ran = counted.provision("resolve", "postgres", "--pending")

    assert (ran.code, ran.err.splitlines()[0]) == (2, "error[usage]: --pending is said of one revision")


HALF_DOWN = """with op.get_context().autocommit_block():
        op.execute("create table if not exists going (x int)")
    op.execute("select nothing")"""


@pytest.mark.parametrize("verdict", ["--applied", "--reverted"])
def test_lost_under_a_down_that_is_half_way_runs_nothing_again(project: Project, verdict: str) -> None:
    """The row of a down goes with its entry: that it is gone, and the down open, is not our doing."""
    environments.written(project.root, environments.PLAIN)
    place = project.write("0001", 'op.execute("create table if not exists t as select 1 as x")', HALF_DOWN)
    project.up()
    assert project.provision("down", "--all", "--allow-destructive").code == 5
    place.write_text(place.read_text().replace("select nothing", "drop table t"))
    lose(project, "delete from alembic_version")

    ran = project.provision("up")

    assert (ran.code, ran.err.split("]")[0]) == (3, "error[versions-lost")
    assert [kind for _, kind in project.events()][-1] == "failed"
    if verdict == "--reverted":
        lose(project, "drop table t, going")
    assert project.provision("resolve", "postgres", verdict).code == 0
    project.up()
    assert project.rows("select x from t") == [(1,)]
