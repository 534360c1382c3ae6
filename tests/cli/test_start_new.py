"""`new` and `schema`: the next file of each kind, refused where it could not be right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.expected import Expected

if TYPE_CHECKING:
    from tests.servers.command_line import Provision

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    assert provision("init", "--name", "shop").code == 0
    yield tmp_path
    provision("local", "reset", "--yes")


def test_new_numbers_each_store_by_itself_and_prints_the_paths(fresh: Path, provision: Provision) -> None:
    assert provision("new", "postgres", "Orders, now").out == "alembic/versions/0001_orders_now.py\n"
    assert provision("new", "postgres", "more").out == "alembic/versions/0002_more.py\n"
    assert provision("new", "clickhouse", "events").out == "clickhouse/001_events.sql\nclickhouse/001_events.down.sql\n"
    assert provision("new", "redis", "streams").out == "redis/0001_streams.yaml\n"
    assert 'down_revision = "0001"' in (fresh / "alembic/versions/0002_more.py").read_text()


def test_new_keeps_the_width_of_the_numbers_that_are_there(fresh: Path, provision: Provision) -> None:
    (fresh / "redis/00041_x.yaml").write_text(
        "up: [{key_family: {name: a, pattern: 'a:{b}', type: string, ttl: none, "
        "owner: me, description: text}}]\ndown: auto\n"
    )
    (fresh / "clickhouse/0009_x.sql").write_text("SELECT 1")
    assert provision("new", "redis", "next").out == "redis/00042_next.yaml\n"
    assert provision("new", "clickhouse", "next").out.splitlines()[0] == "clickhouse/0010_next.sql"


def test_new_follows_alembics_own_ids_with_one_of_them(fresh: Path, provision: Provision) -> None:
    (fresh / "alembic/versions/ae1027a6_begin.py").write_text(
        'revision = "ae1027a6"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n'
    )
    path = provision("new", "postgres", "next").out.strip()
    assert re.fullmatch(r"alembic/versions/[0-9a-f]{12}_next\.py", path)
    assert 'down_revision = "ae1027a6"' in (fresh / path).read_text()


@pytest.mark.parametrize("message", ['say "hello"', "back\\slash", 'ends in "quotes"', "two\nlines", "%d and ${x}"])
def test_new_takes_any_message(fresh: Path, provision: Provision, message: str) -> None:
    for store in ("postgres", "clickhouse", "redis"):
        ran = provision("new", store, message)
        assert (ran.code, ran.err) == (0, "")
    words = " ".join(message.split())
    (script,) = (fresh / "alembic/versions").glob("*.py")
    scope: dict[str, object] = {}
    exec(compile(script.read_text().split("from alembic")[0], script.name, "exec"), scope)
    assert scope["__doc__"] == words
    (document,) = (fresh / "redis").glob("*.yaml")
    document.write_text(document.read_text().replace("#  - ", "  - "))
    (sql,) = (each for each in (fresh / "clickhouse").glob("*.sql") if ".down" not in each.name)
    assert f"-- description: {words}\n" in sql.read_text()
    graph = provision("graph", "--output", "json")
    drafts = [each["id"] for each in json.loads(graph.out)["revisions"] if each["draft"]]
    assert (graph.code, drafts) == (0, ["postgres/0001", "clickhouse/001"])


def test_new_requires_is_written_as_each_kind_reads_it(fresh: Path, provision: Provision) -> None:
    (fresh / "clickhouse/001_x.sql").write_text("SELECT 1")
    for store in ("postgres", "redis"):
        assert provision("new", store, "needs", "--requires", "clickhouse/001").code == 0
    assert provision("new", "clickhouse", "needs", "--requires", "postgres/0001", "--requires", "redis/0001").code == 0
    assert '\nrequires = ["clickhouse/001"]\n' in (fresh / "alembic/versions/0001_needs.py").read_text()
    assert "\nrequires: [clickhouse/001]\n" in (fresh / "redis/0001_needs.yaml").read_text()
    assert "\n-- requires: postgres/0001, redis/0001\n" in (fresh / "clickhouse/002_needs.sql").read_text()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("postgre", "x"),
            "error[unknown-store]: no store is called 'postgre'\n  where  PLACE/provision.toml\n"
            "  fix    did you mean 'postgres'?\n",
        ),
        (
            ("redis", "日本"),
            "error[bad-message]: no file name can be made of '日本'\n  where  the message\n"
            "  fix    say in a few words, with letters a to z in them, what the revision does\n",
        ),
        (
            ("redis", "x", "--requires", "clickhouse/002"),
            "error[missing-requirement]: the new revision would require clickhouse/002, which does not exist\n"
            "  where  --requires\n  fix    did you mean 'clickhouse/001'?\n",
        ),
        (
            ("redis", "x", "--requires", "events"),
            "error[missing-requirement]: the new revision would require events, which does not exist\n"
            "  where  --requires\n  fix    name a revision as store/number, such as postgres/0007\n",
        ),
        (
            ("redis", "x", "--requires", "kafka/1"),
            "error[unknown-store]: no store is called 'kafka'\n  where  PLACE/provision.toml\n"
            "  fix    known: postgres, clickhouse, redis\n",
        ),
        (
            ("redis",),
            "error[usage]: missing argument 'MESSAGE'\n  where  provision new\n  fix    provision new --help\n",
        ),
    ],
)
def test_new_wrong_input_writes_nothing(
    fresh: Path, provision: Provision, arguments: tuple[str, ...], error: str
) -> None:
    (fresh / "clickhouse/001_x.sql").write_text("SELECT 1")
    before = sorted(fresh.rglob("*"))
    ran = provision("new", *arguments)
    assert (ran.code, ran.err.replace(str(fresh), "PLACE")) == (2, error)
    assert sorted(fresh.rglob("*")) == before


def test_new_with_two_heads_is_refused(fresh: Path, provision: Provision) -> None:
    for name in ("a1", "b2"):
        (fresh / f"alembic/versions/{name}.py").write_text(f'revision = "{name}"\ndown_revision = None\n')
    ran = provision("new", "postgres", "third")
    assert ran.code == 2
    assert ran.err.startswith("error[alembic-refused]: alembic: Multiple heads are present")


@pytest.mark.usefixtures("fresh")
def test_unfilled_files_say_so_one_by_one(expected: Expected, provision: Provision) -> None:
    for store in ("postgres", "clickhouse", "redis"):
        provision("new", store, "begun")
    ran = provision("up", "--env", "local")
    assert ran.code == 2
    expected(ran.err)


def test_drafts_are_shown_by_what_only_reads(expected: Expected, fresh: Path, provision: Provision) -> None:
    for store in ("postgres", "clickhouse", "redis"):
        provision("new", store, "begun")
    for number, words in enumerate((("graph",), ("plan", "--offline"), ("status",), ("plan",), ("plan", "--sql")), 1):
        environment = () if number <= 2 else ("--env", "local")
        ran = provision(*words, *environment)
        assert (ran.code, ran.err) == (0, "")
        expected(ran.out, str(number))
    assert not (fresh / ".provision").exists()


def test_draft_stops_only_what_would_run_it(fresh: Path, provision: Provision) -> None:
    (fresh / "redis/0001_first.yaml").write_text("up:\n  - create_stream: {name: a, maxlen: 10}\ndown: auto\n")
    for store in ("postgres", "redis"):
        provision("new", store, "begun")
    assert provision("up", "redis/0001", "--env", "local").out.splitlines()[-1].startswith("1 applied")
    for words in (("up",), ("up", "--dry-run"), ("up", "redis/0002"), ("baseline", "--all")):
        ran = provision(*words, "--env", "local")
        assert (ran.code, ran.err.split("]")[0]) == (2, "error[empty-migration"), words
    assert provision("down", "--all", "--env", "local", "--allow-destructive").code == 0


def test_unfilled_way_down_says_so(fresh: Path, provision: Provision) -> None:
    for store in ("postgres", "clickhouse"):
        provision("new", store, "begun")
    script = fresh / "alembic/versions/0001_begun.py"
    script.write_text(script.read_text().replace("pass  # provision: unfilled", 'op.execute("SELECT 1")', 1))
    with (fresh / "clickhouse/001_begun.sql").open("a") as file:
        file.write("SELECT 1;\n")
    ran = provision("up", "--env", "local")
    assert "error[empty-migration]: downgrade() of 0001_begun.py is not filled in yet\n" in ran.err
    assert "error[empty-migration]: 001_begun.down.sql is not filled in yet\n" in ran.err


def test_schema_redis_is_the_one_in_docs(provision: Provision) -> None:
    ran = provision("schema", "redis")
    assert ran.code == 0
    assert json.loads(ran.out)["title"] == "A Redis migration"
    assert (ROOT / "docs/schemas/redis.json").read_text() == ran.out


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("postgres", "error[no-documents]: postgres has no YAML files\n"),
        ("mongo", "error[unknown-kind]: no kind of store is called 'mongo'\n"),
    ],
)
def test_schema_of_a_kind_without_documents_names_those_that_have(provision: Provision, kind: str, error: str) -> None:
    ran = provision("schema", kind)
    assert (ran.code, ran.out) == (2, "")
    kinds = "arango, influx, redis, weaviate, checks, backfills, partitions, maintain"
    assert ran.err == error + f"  where  schema\n  fix    kinds with YAML files: {kinds}\n"
