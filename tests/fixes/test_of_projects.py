"""What is wrong with a project before any server is asked, or with what the url of one of its stores names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.embedded import engine
from tests.cli.projects import edit, script
from tests.fixes.following import commands, failed, fix_of
from tests.servers.command_line import Provision

ENV = ("--env", "test")
UP = ("up", *ENV, "--allow-destructive")
REDIS = 'redis.url = "${SMALL_REDIS}"\n'


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROVISION_ENV", raising=False)
    return tmp_path


@pytest.fixture
def local(empty: Path, provision: Provision) -> Iterator[Path]:
    """A project of one Redis with one document; its engine ends with the test."""
    assert provision("init", "--stores", "redis").code == 0
    (empty / "redis" / "0001_first.yaml").write_text(
        'up:\n  - create_stream: {name: "s", group: g, maxlen: 9, owner: web}\ndown: auto\n'
    )
    yield empty
    if (empty / ".provision").is_dir():
        engine("redis", "redis", empty / ".provision").reset()


def test_project_that_exists_is_begun_in_another_folder(empty: Path, provision: Provision) -> None:
    assert provision("init", "--stores", "redis").code == 0
    [printed] = commands(failed("project-exists", provision("init", "--stores", "redis")))

    ran = provision(*(each.replace("FOLDER", "another") for each in printed), "--stores", "redis")

    assert ran.code == 0, ran.err
    assert (empty / "another" / "provision.toml").is_file()


@pytest.mark.parametrize("way", ["move", "add"])
def test_folder_that_is_not_empty_is_moved_away_or_not_used(empty: Path, provision: Provision, way: str) -> None:
    (empty / "alembic").mkdir()
    (empty / "alembic" / "notes.txt").touch()
    init, add = commands(failed("folder-not-empty", provision("init", "--stores", "postgres,redis")))

    if way == "move":
        (empty / "alembic").rename(empty / "notes")
        assert provision("init", "--stores", "postgres,redis").code == 0
    else:
        assert provision(*(each.replace("KINDS", "redis") for each in init)).code == 0
        assert provision(*(each.replace("FOLDER", "schema") for each in add)).code == 0
    assert provision("new", "postgres", "first").code == 0


def test_folder_of_a_new_store_that_is_not_empty_is_another(empty: Path, provision: Provision) -> None:
    assert provision("init", "--stores", "redis").code == 0
    (empty / "full").mkdir()
    (empty / "full" / "notes.txt").touch()
    add = ("store", "add", "other", "--kind", "redis", "--path")
    fix = fix_of(failed("folder-not-empty", provision(*add, "full")))

    assert "--path FOLDER" in fix
    assert provision(*add, "another").code == 0
    assert provision("new", "other", "first").code == 0


@pytest.mark.parametrize("way", ["url", "off"])
def test_store_without_a_url_is_given_one_or_switched_off(small: Path, provision: Provision, way: str) -> None:
    edit(small / "provision.toml", REDIS, "")
    fix = fix_of(failed("no-url", provision("up", *ENV)))

    key, off = re.findall(r'set (\S+); ("\w+") leaves the store out', fix)[0]
    value = off if way == "off" else '"${SMALL_REDIS}"'
    (small / "provision.toml").write_text((small / "provision.toml").read_text() + f"{key} = {value}\n")

    ran = provision(*UP)
    assert ran.code == 0, ran.err
    assert ("redis/0001" in ran.out) == (way == "url")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("way", ["add", "without"])
def test_requirement_left_out_is_added_or_only_is(provision: Provision, way: str) -> None:
    only = ["--only", "redis"]
    ran = provision(*UP, *only)
    while ran.code and len(only) < 6 and way == "add":
        [more] = re.findall(r"add (--only \w+), or", fix_of(failed("requirement-not-met", ran)))
        only += more.split()
        ran = provision(*UP, *only)
    if way == "without":
        assert "run without --only" in fix_of(failed("requirement-not-met", ran))
        ran = provision(*UP)

    assert ran.code == 0, ran.err
    assert "✓ redis/0002" in ran.out


def test_irreversible_is_left_standing_or_undone_by_another(small: Path, provision: Provision) -> None:
    text = 'up:\n  - create_group: {{stream: "small:sign_ins", name: {}}}\ndown: {}\n'
    (small / "redis" / "0003_more.yaml").write_text(text.format("more", "{irreversible: readers keep it}"))
    (small / "redis" / "0004_last.yaml").write_text(text.format("last", "auto"))
    assert provision(*UP).code == 0
    down = ("down", *ENV, "--allow-destructive")
    fix = fix_of(failed("irreversible", provision(*down, "redis/0002")))

    assert fix == "choose a later target, or write a new revision that undoes it"
    assert provision(*down, "redis/0003").code == 0
    undo = 'up:\n  - drop_group: {stream: "small:sign_ins", name: more}\ndown: {irreversible: why}\n'
    (small / "redis" / "0004_last.yaml").write_text(undo)
    ran = provision(*UP)
    assert ran.code == 0, ran.err


def test_engine_not_made_is_made_by_the_command(local: Path, provision: Provision) -> None:
    (local / "checks").mkdir()
    (local / "checks" / "s.yaml").write_text("store: redis\ntable: s*\nchecks:\n  - {name: any, unknown_family: {}}\n")
    [printed] = commands(failed("not-made", provision("validate", "--env", "local", "--no-history")))

    assert provision(*printed).code == 0
    ran = provision("validate", "--env", "local", "--no-history")
    assert "not-made" not in ran.err


def test_file_in_the_place_of_the_engines_is_moved_away(local: Path, provision: Provision) -> None:
    (local / ".provision").touch()
    fix = fix_of(failed("folder-not-writable", provision("up", "--env", "local")))

    [place] = re.findall(r"move (\S+) away, then run the same command again", fix)
    Path(place).rename(local / "elsewhere")
    ran = provision("up", "--env", "local")
    assert ran.code == 0, ran.err


def test_damaged_engine_is_begun_anew_by_the_command(local: Path, provision: Provision) -> None:
    up = ("up", "--env", "local")
    assert provision(*up).code == 0
    assert provision("local", "stop").code == 0
    data = [
        path for path in (local / ".provision" / "redis").rglob("*") if path.suffix in (".rdb", ".aof", ".manifest")
    ]
    assert data
    for path in data:
        path.write_bytes(b"not what Redis wrote" * 20)
    [printed] = commands(failed("engine-failed", provision(*up)))

    assert printed == ["local", "reset", "redis"]
    assert "--yes" in fix_of(failed("confirmation-needed", provision(*printed)))
    assert provision(*printed, "--yes").code == 0
    ran = provision(*up)
    assert ran.code == 0, ran.err


def test_unknown_table_of_a_suite_is_there_after_up(small: Path, provision: Provision) -> None:
    (small / "checks").mkdir()
    (small / "checks" / "notes.yaml").write_text(
        "store: postgres\ntable: order_notes\nchecks:\n  - {name: any, not_null: orders_then}\n"
    )
    validate = ("validate", *ENV, "--no-history")
    [printed] = commands(failed("unknown-table", provision(*validate)))

    assert provision(*printed, "--allow-destructive").code == 0
    ran = provision(*validate)
    assert "error[" not in ran.err, ran.err


def test_requirement_of_a_store_that_is_off_is_set(small: Path, provision: Provision) -> None:
    edit(small / "provision.toml", 'clickhouse.url = "${SMALL_CLICKHOUSE}"', 'clickhouse.url = "off"')
    script(small, "003_more", "CREATE TABLE more (x UInt64) ENGINE = Log;\n")
    fix = fix_of(failed("requirement-not-configured", provision("up", *ENV)))

    assert fix == "set the url of clickhouse, or leave redis out too"
    edit(small / "provision.toml", 'clickhouse.url = "off"', 'clickhouse.url = "${SMALL_CLICKHOUSE}"')
    assert provision(*UP).code == 0
