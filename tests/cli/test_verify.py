"""`verify` on real engines: what a way down leaves, what is not the same twice; `drift`: what was changed by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema_rs
import psycopg
import pytest
import redis

from provision.embedded import engine
from tests.fixes.following import commands, failed
from tests.servers.command_line import Provision

ROOT = Path(__file__).parents[2]
ENTRY = "import sys; sys.argv[0] = 'provision'; from provision.cli.main import main; main()"
TOML = """
[project]
name = "shop"
home = "postgres"
[stores.postgres]
[stores.redis]
[environments.local]
embedded = true
[environments.production]
postgres.url = "postgresql://nobody@127.0.0.1:1/shop"
"""
HEAD = """\
revision = "{0}"
down_revision = {1}

from alembic import op


def upgrade():
    {2}


def downgrade():
    {3}
"""
FIRST = (
    "op.execute(\"create table orders (id int primary key, status text not null default 'new'"
    " check (status in ('new', 'old')))\")",
    'op.execute("drop table orders")',
)
STREAM = "up:\n  - create_stream: {name: events, maxlen: 10, description: all}\ndown: auto\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One revision of PostgreSQL and one of Redis, both as they should be."""
    (tmp_path / "provision.toml").write_text(TOML)
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "0001_events.yaml").write_text(STREAM)
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "env.py").write_text((ROOT / "alembic" / "env.py").read_text(encoding="utf-8"))
    revision(tmp_path, 1, *FIRST)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for kind in ("postgres", "redis"):
        engine(kind, kind, tmp_path / ".provision").reset()


def revision(root: Path, number: int, up: str, down: str) -> None:
    before = f'"{number - 1:04d}"' if number > 1 else None
    text = HEAD.format(f"{number:04d}", before, up, down)
    (root / "alembic" / "versions" / f"{number:04d}_change.py").write_text(text)


def found(provision: Provision, *arguments: str) -> tuple[int, list[tuple[str, str, int, str]]]:
    """The exit code, and rule, file, line and object of each finding."""
    ran = provision(*arguments, "--output", "json")
    told = json.loads(ran.out)
    schema = ROOT / "docs" / "schemas" / f"{arguments[0]}.json"
    jsonschema_rs.validator_for(json.loads(schema.read_text(encoding="utf-8"))).validate(told)
    findings = told["findings"]
    return ran.code, [(each["rule"], each["file"], each["line"], each["object"]) for each in findings]


def test_right_revisions_are_the_same_after_up_down_and_up_and_leave_nothing_behind(
    shop: Path, provision: Provision
) -> None:
    ran = provision("verify")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1].startswith("2 applied, 2 reverted, applied again: ")
    assert not (shop / ".provision").exists()
    assert _processes(shop) == set()


def test_each_kind_of_mistake_is_found_in_the_file_that_made_it(shop: Path, provision: Provision) -> None:
    revision(shop, 2, 'op.execute("create index on orders (status)")', 'op.execute("drop index orders_status_idx")')
    revision(shop, 3, 'op.execute("create table leftover (id int)")', "pass")
    revision(shop, 4, 'op.execute("create view seen as select id from orders")', 'op.execute("drop view seen cascade")')
    random = "op.execute(\"create table stamped (at text default '\" + __import__('uuid').uuid4().hex + \"')\")"
    revision(shop, 5, random, 'op.execute("drop table stamped")')
    revision(
        shop,
        6,
        'op.execute("create type mood as enum (\'good\')"); op.execute("create table moods (m mood)")',
        'op.execute("drop table moods")',
    )

    code, findings = found(provision, "verify")

    # The table that is left is what the next way up falls over: that it is left is told, and where.
    assert code == 1
    assert ("down-leaves", "alembic/versions/0003_change.py", 8, "table public.leftover") in findings
    assert ("down-leaves", "alembic/versions/0006_change.py", 8, "type public.mood") in findings
    assert ("up-fails", "alembic/versions/0003_change.py") in [each[:2] for each in findings]


def test_what_is_not_the_same_twice_is_found(shop: Path, provision: Provision) -> None:
    random = "op.execute(\"create table stamped (at text default '\" + __import__('uuid').uuid4().hex + \"')\")"
    revision(shop, 2, random, 'op.execute("drop table stamped")')

    code, findings = found(provision, "verify")

    assert (code, findings) == (1, [("not-repeatable", "alembic/versions/0002_change.py", 8, "table public.stamped")])


def test_way_down_that_fails_is_told_with_its_line(shop: Path, provision: Provision) -> None:
    revision(shop, 2, "pass", 'op.execute("drop table nobody_made")')

    code, findings = found(provision, "verify")

    assert (code, [each[:2] for each in findings]) == (1, [("down-fails", "alembic/versions/0002_change.py")])


def test_environment_with_urls_is_rehearsed_where_its_databases_hold_nothing(
    shop: Path, provision: Provision, postgres_18: str
) -> None:
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute("drop database if exists verify_given")
        connection.execute("create database verify_given")
    url = urlsplit(postgres_18)._replace(path="/verify_given").geturl()
    with (shop / "provision.toml").open("a") as file:
        file.write(f'[environments.given]\npostgres.url = "{url}"\nredis.url = "off"\n')

    ran = provision("verify", "--env", "given")

    assert ran.err == ""
    assert (ran.code, ran.out.splitlines()[-1].startswith("1 applied, 1 reverted")) == (0, True)
    assert "redis: not rehearsed" in ran.out
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("select to_regclass('public.orders')").fetchone() == (None,)
        connection.execute("create table kept (id int)")
        ran = provision("verify", "--env", "given")
        assert (ran.code, "error[not-embedded]" in ran.err) == (2, True)
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_stopped_half_way_it_takes_its_engines_with_it(shop: Path) -> None:
    revision(shop, 2, "import time; op.get_context().as_sql or time.sleep(8)", "pass")
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(shop / "temporary")}
    line = [sys.executable, "-P", "-c", ENTRY, "verify"]
    running = subprocess.Popen(line, cwd=shop, stdout=-1, stderr=-1, text=True, env=variables)
    before = time.monotonic()
    while not _processes(shop) and time.monotonic() < before + 30:
        time.sleep(0.1)
    time.sleep(1)
    running.terminate()
    _, err = running.communicate(timeout=60)

    assert (running.returncode, "error[interrupted]" in err, _processes(shop)) == (5, True, set())


def test_drift_without_snapshots_names_the_command_that_makes_them(shop: Path, provision: Provision) -> None:
    assert shop.exists()
    ran = provision("drift", "--env", "local")
    assert (ran.code, "error[no-snapshot]" in ran.err) == (2, True)
    assert "fix    run `provision verify --write`" in ran.err


CHANGES = (
    ("alter table orders add column total int", "alter table orders drop column total", "table public.orders"),
    (
        "alter table orders alter status drop not null",
        "alter table orders alter status set not null",
        "table public.orders",
    ),
    (
        "alter table orders alter status set default 'old'",
        "alter table orders alter status set default 'new'",
        "table public.orders",
    ),
    ("create index by_status on orders (status)", "drop index by_status", "index public.by_status"),
    (
        "alter table orders add constraint low check (id < 5)",
        "alter table orders drop constraint low",
        "constraint low of public.orders",
    ),
    ("create view v as select 1 as one", "drop view v", "view public.v"),
    ("create function f() returns int language sql as 'select 1'", "drop function f", "function public.f()"),
    (
        "alter table orders enable row level security",
        "alter table orders disable row level security",
        "table public.orders",
    ),
    ("create policy mine on orders using (id > 0)", "drop policy mine on orders", "policy mine of public.orders"),
    ("grant select on orders to public", "revoke select on orders from public", "table public.orders"),
    ("comment on table orders is 'all'", "comment on table orders is null", "table public.orders"),
    ("create schema other", "drop schema other", "schema other"),
    ("create type mood as enum ('good')", "drop type mood", "type public.mood"),
    ("create sequence s", "drop sequence s", "sequence public.s"),
    ("create extension pg_trgm", "drop extension pg_trgm", "extension pg_trgm"),
)


def test_every_change_by_hand_is_told_alone_and_is_silent_once_undone(shop: Path, provision: Provision) -> None:
    assert provision("verify", "--write").code == 0
    assert sorted(each.name for each in (shop / "schema").iterdir()) == ["postgres.json", "redis.json"]
    assert provision("up", "--env", "local").code == 0
    assert found(provision, "drift", "--env", "local") == (0, [])

    with psycopg.connect(_url(provision, "postgres"), autocommit=True) as connection:
        for change, undo, name in CHANGES:
            if "extension" in change and not _there(connection, "pg_trgm"):
                continue
            connection.execute(change.encode())
            code, findings = found(provision, "drift", "--env", "local")
            assert (code, [each[3] for each in findings]) == (1, [name]), change
            connection.execute(undo.encode())
            assert found(provision, "drift", "--env", "local") == (0, []), undo


def test_changes_of_a_store_of_documents_are_told(shop: Path, provision: Provision) -> None:
    assert shop.exists()
    assert provision("verify", "--write").code == 0
    assert provision("up", "--env", "local").code == 0
    with redis.Redis.from_url(_url(provision, "redis")) as client:
        changes: tuple[tuple[Callable[[], object], Callable[[], object], str], ...] = (
            (lambda: client.xgroup_create("events", "late"), lambda: client.xgroup_destroy("events", "late"), "late"),
            (lambda: client.xadd("other", {"a": "1"}), lambda: client.delete("other"), "other"),
        )
        for change, undo, name in changes:
            change()
            code, findings = found(provision, "drift", "--env", "local")
            assert (code, len(findings), name in findings[0][3]) == (1, 1, True)
            undo()
            assert found(provision, "drift", "--env", "local") == (0, [])


def test_snapshots_that_are_older_than_the_revisions_fail_verify(shop: Path, provision: Provision) -> None:
    assert provision("verify", "--write").code == 0
    revision(shop, 2, 'op.execute("create table later (id int)")', 'op.execute("drop table later")')

    code, findings = found(provision, "verify")

    assert (code, findings) == (1, [("snapshot-old", "alembic/versions/0002_change.py", 8, "table public.later")])


def _url(provision: Provision, store: str) -> str:
    from provision.project import Project

    del provision
    return Project.open(Path.cwd(), "local").url(store)


def _there(connection: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
    return bool(connection.execute("select 1 from pg_available_extensions where name = %s", (name,)).fetchone())


def _processes(root: Path) -> set[str]:
    """The servers that run below a folder."""
    told = subprocess.run(["ps", "-wweo", "args="], capture_output=True, text=True, check=True).stdout
    return {line for line in told.splitlines() if str(root) in line and ENTRY not in line}


def test_branch_with_each_kind_of_mistake_is_told_at_the_right_lines(shop: Path, provision: Provision) -> None:
    _git(shop, "init", "-q", "-b", "main")
    revision(shop, 2, "op.execute('create table carts (id int primary key, total int)')", "op.drop_table('carts')")
    _git(shop, "add", ".")
    _git(shop, "commit", "-qm", "base")
    assert found(provision, "verify", "--changed-since", "main") == (0, [])
    edited = "op.execute('create table carts (id int primary key, total bigint)')"
    revision(shop, 2, edited, "op.drop_table('carts')")
    clock = "op.execute(\"create table stamped (at text default '\" + __import__('uuid').uuid4().hex + \"')\")"
    revision(shop, 3, clock, 'op.execute("drop table stamped")')
    revision(shop, 4, "op.execute('create schema extra')", "op.execute('select 1')")
    revision(shop, 5, 'op.execute("alter table orders alter id type bigint")', "pass")
    shutil.rmtree(shop / "alembic" / "__pycache__", ignore_errors=True)

    code, findings = found(provision, "verify", "--changed-since", "main")

    assert code == 1
    assert [each[:3] for each in findings if each[0] in ("edited-applied", "missing-down")] == [
        ("edited-applied", "alembic/versions/0002_change.py", 1),
        ("missing-down", "alembic/versions/0005_change.py", 1),
    ]
    assert ("column-type-change", "alembic/versions/0005_change.py", 8, "orders.id") in findings
    assert ("down-leaves", "alembic/versions/0004_change.py", 8, "schema extra") in findings
    assert ("down-changes", "alembic/versions/0005_change.py", 8, "table public.orders") in findings


def test_way_down_that_leaves_an_index_is_told(shop: Path, provision: Provision) -> None:
    alone = "with op.get_context().autocommit_block():"
    up = f"{alone}\n        op.execute('create index concurrently i on orders (status)')"
    revision(shop, 2, up, "op.execute('select 1')")
    _, findings = found(provision, "verify", "--from", "postgres/0001")
    assert ("down-leaves", "alembic/versions/0002_change.py", 9, "index public.i") in findings


def test_predictions_of_lint_are_held_against_what_is_seen(shop: Path, provision: Provision) -> None:
    revision(shop, 2, 'op.execute("alter table orders alter id type bigint")', "op.execute('select 1')")
    ran = provision("verify", "--from", "postgres/0001", "--output", "json")
    told = json.loads(ran.out)
    [prediction] = told["predictions"]
    assert (prediction["rule"], prediction["predicts"], prediction["verdict"]) == (
        "column-type-change",
        "rewrite",
        "confirmed",
    )
    assert told["seen"]["postgres/0002"]["locks"]["public.orders"]["lock"] == "AccessExclusiveLock"
    assert told["seen"]["postgres/0002"]["rewritten"] == ["public.orders"]
    assert (told["base"], "postgres/0001" in told["seen"]) == (["postgres/0001"], False)


def test_statements_that_lint_does_not_see_are_seen_when_they_rewrite(shop: Path, provision: Provision) -> None:
    revision(
        shop,
        2,
        'op.execute("do $$ begin alter table orders alter id type bigint; end $$; select 1 from orders where false")',
        "op.execute('alter table orders alter id type int')",
    )
    code, findings = found(provision, "verify")
    assert (code, findings) == (0, [("rewrites-table", "alembic/versions/0002_change.py", 8, "public.orders")])


def test_accepted_difference_is_a_revision_and_no_difference_any_more(shop: Path, provision: Provision) -> None:
    shutil.copy(ROOT / "alembic" / "script.py.mako", shop / "alembic")
    assert provision("verify", "--write").code == 0
    assert provision("up", "--env", "local").code == 0
    with psycopg.connect(_url(provision, "postgres"), autocommit=True) as connection:
        connection.execute("alter table orders add column total int not null default 0")
        connection.execute("create index by_total on orders (total)")
        connection.execute("create view late as select 'a:b'::text as x, total % 7 as y from orders")
    with redis.Redis.from_url(_url(provision, "redis")) as client:
        client.xgroup_create("events", "late", id="0")

    told = json.loads(provision("drift", "--env", "local", "--output", "json", "--report", "d.html").out)
    page = (shop / "d.html").read_text()
    assert '<span class="pass">+   total integer not null default 0</span>' in page
    assert page.count("made by no revision</div>") == 1
    assert page.count("<details open>") == len(told["findings"]) == 4
    assert page.count("DROP INDEX IF EXISTS public.by_total") == 1
    assert provision("drift", "--env", "local", "--report", "d.pdf").code == 2
    fixes = {each["object"]: each["fix"] for each in told["findings"]}
    assert fixes["table public.orders"] == ("change it back: ALTER TABLE public.orders DROP COLUMN IF EXISTS total")
    assert fixes["index public.by_total"] == "drop it: DROP INDEX IF EXISTS public.by_total"

    ran = provision("drift", "--env", "local", "--accept", "-m", "totals by hand")

    assert ran.code == 0
    assert "alembic/versions/0002_totals_by_hand.py is written" in ran.out
    assert "redis/0002_totals_by_hand.yaml is written" in ran.out
    assert found(provision, "drift", "--env", "local") == (0, [])
    assert found(provision, "verify", "--from", "postgres/0001", "--from", "redis/0001") == (0, [])
    assert provision("up", "--env", "local").code == 0
    assert found(provision, "drift", "--env", "local") == (0, [])


def test_up_tells_what_was_changed_by_hand_of_what_it_touches(shop: Path, provision: Provision) -> None:
    revision(shop, 2, 'op.execute("create table carts (id int primary key)")', 'op.execute("drop table carts")')
    assert provision("up", "--env", "local").code == 0
    revision(
        shop, 3, "op.execute('alter table orders add column total int')", "op.execute('alter table orders drop total')"
    )
    assert provision("verify", "--write").code == 0
    assert "changed by hand" not in provision("up", "--env", "local", "--dry-run").out
    with psycopg.connect(_url(provision, "postgres"), autocommit=True) as connection:
        connection.execute("alter table orders alter status set default 'old'")
        connection.execute("create index by_hand on orders (status)")
        connection.execute("alter table carts add column not_told int")
    toml = (shop / "provision.toml").read_text()
    (shop / "provision.toml").write_text(toml.replace("embedded = true", 'embedded = true\ndrift = "refuse"'))
    ran = provision("up", "--env", "local")
    assert (ran.code, "error[changed-by-hand]" in ran.err, "index public.by_hand" in ran.err) == (3, True, True)
    (shop / "provision.toml").write_text(toml)

    ran = provision("up", "--env", "local")

    told = [line.split("changed by hand: ")[1] for line in ran.out.splitlines() if "changed by hand" in line]
    assert (ran.code, told) == (
        0,
        ["index public.by_hand is there, and no revision makes it", "table public.orders, at status"],
    )
    assert "changed by hand" not in provision("up", "--env", "local").out


def test_what_was_changed_by_hand_is_taken_back_as_drift_says(shop: Path, provision: Provision) -> None:
    """The fix of `changed-by-hand`."""
    assert provision("verify", "--write").code == 0
    toml = shop / "provision.toml"
    toml.write_text(toml.read_text().replace("embedded = true", 'embedded = true\ndrift = "refuse"'))
    assert provision("up", "--env", "local").code == 0
    with psycopg.connect(_url(provision, "postgres"), autocommit=True) as connection:
        connection.execute("create index by_hand on orders (status)")
    adds = "op.execute('alter table orders add column total int')"
    revision(shop, 2, adds, "op.execute('alter table orders drop total')")
    ran = failed("changed-by-hand", provision("up", "--env", "local"))

    [[command]] = [commands(ran)]
    told = json.loads(provision(*command, "--output", "json").out)["findings"]
    statements = [each["fix"].partition(": ")[2] for each in told if each["object"] == "index public.by_hand"]
    assert statements == ["DROP INDEX IF EXISTS public.by_hand"]
    with psycopg.connect(_url(provision, "postgres"), autocommit=True) as connection:
        connection.execute(statements[0].encode())
    assert provision("up", "--env", "local").code == 0


def _git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)
