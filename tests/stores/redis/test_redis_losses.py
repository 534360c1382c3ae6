"""What `trim_stream` removes of real streams, and that it is foretold, allowed, stopped and resumed as losses are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from provision.cli.main import run
from provision.errors import FailedError
from provision.model import Direction, EventKind, Step
from provision.model.statements import Mark, Outcome
from provision.stores.redis.fence import Fence
from provision.stores.redis.migrate.statements import RedisStatements
from provision.stores.redis.store import RedisStore
from tests.servers.command_line import Provision, Ran, masked
from tests.stores.redis.redis_servers import Engine, event

Make = Callable[..., RedisStore]
GONE = "down: {irreversible: the entries are gone}\n"
TOML = '[project]\nname = "vfr"\nhome = "redis"\n[stores.redis]\n[environments.test]\nredis.url = "URL"\n'


@pytest.fixture
def project(
    tmp_path: Path,
    engine: Engine,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Provision:
    """The command line over a project of Redis alone, whose database is empty."""
    assert client.dbsize() == 0
    (tmp_path / "redis").mkdir()
    (tmp_path / "provision.toml").write_text(TOML.replace("URL", engine.url))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVISION_ENV", "test")

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return Ran(code, masked(out), masked(err))

    return ran


def write(number: int, *operations: str, down: str = GONE) -> None:
    listed = "".join(f"  - {each}\n" for each in operations)
    Path("redis", f"{number:04}_step.yaml").write_text(f"up:\n{listed}{down}")


def fill(client: redis.Redis, count: int, name: str = "s", first: int = 1, text: str = "x") -> None:
    with client.pipeline() as pipe:
        for number in range(first, first + count):
            pipe.xadd(name, {"a": text}, id=f"{number}-1")
        pipe.execute()


def ids(client: redis.Redis, name: str = "s") -> list[int]:
    return [int(entry.partition("-")[0]) for entry, _ in client.xrange(name)]


def foretold(project: Provision) -> list[str]:
    """What `up --dry-run` and `plan` say of losses, which is the same."""
    dry, plan = (json.loads(project(*words, "--output", "json").out) for words in (("up", "--dry-run"), ("plan",)))
    said = [why for each in dry["destructive"] for why in each["loses"]]
    assert [why for each in plan["steps"] for why in each["destructive"]] == said
    return said


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("max_length: 40", range(211, 251)),
        ("max_length: 249", range(2, 251)),
        ("max_length: 0", range(0)),
        ("min_id: 249", range(249, 251)),
        ("min_id: 249-2", range(250, 251)),
        ("min_id: 999", range(0)),
        ("max_length: 40, approximate: true", range(201, 251)),
        ("min_id: 150-0, approximate: true", range(101, 251)),
    ],
)
def test_trim_loses_what_was_foretold_and_only_when_allowed(
    body: str, kept: range, project: Provision, client: redis.Redis
) -> None:
    fill(client, 250)
    client.xgroup_create("s", "readers", "0")
    write(1, f"trim_stream: {{name: s, {body}}}")
    assert len(foretold(project)) == 1

    refused = project("up")
    assert (refused.code, len(ids(client))) == (3, 250)
    assert "error[destructive]: 1 of 1 steps would lose data" in refused.err
    allowed = project("up", "--allow-destructive")
    assert (allowed.code, ids(client)) == (0, list(kept)), allowed.err
    assert [each["name"] for each in client.xinfo_groups("s")] == ["readers"]


@pytest.mark.parametrize(
    "body",
    [
        "max_length: 250",
        "min_id: 1-1",
        "max_length: 151, approximate: true",
        "min_id: 100, approximate: true",
        "name: elsewhere, max_length: 0",
    ],
)
def test_trim_that_would_lose_nothing_needs_no_flag_and_removes_nothing(
    body: str, project: Provision, client: redis.Redis
) -> None:
    fill(client, 250)
    write(1, f"trim_stream: {{{body}}}" if "name" in body else f"trim_stream: {{name: s, {body}}}")
    assert foretold(project) == []
    assert project("up").code == 0
    assert len(ids(client)) == 250
    assert not client.exists("elsewhere")


def test_losses_of_a_length_say_how_many(project: Provision, client: redis.Redis) -> None:
    fill(client, 250)
    write(1, "trim_stream: {name: s, max_length: 40}", "trim_stream: {name: s, max_length: 40, approximate: true}")
    said = "the entries of stream s but its newest 40 are lost"
    assert foretold(project) == [f"{said}: 210 of 250", f"{said}: about 210 of 250"]
    assert f"loses data: {said}: 210 of 250" in project("plan").out
    offline = json.loads(project("plan", "--offline", "--output", "json").out)
    assert offline["steps"][0]["destructive"] == [said, said]


def test_stream_with_another_name_now_is_looked_at_under_that(project: Provision, client: redis.Redis) -> None:
    fill(client, 30, "old:s")
    write(1, "rename_keys: {pattern: 'old:*', to: 'mid:*'}")
    write(2, "rename_keys: {pattern: 'mid:*', to: 'new:*'}", "trim_stream: {name: 'new:s', max_length: 40}")
    assert foretold(project) == []
    write(3, "trim_stream: {name: 'new:s', max_length: 20}")
    assert foretold(project) == ["the entries of stream new:s but its newest 20 are lost: 10 of 30"]
    assert project("up").code == 3
    assert project("up", "--allow-destructive").code == 0
    assert ids(client, "new:s") == list(range(11, 31))


RAW = "redis: {commands: ['XADD s 1-1 a b', 'XADD s 2-1 a b'], probe: {command: XLEN s, differs: 0}, down: [DEL s]}"


def test_what_the_plan_itself_writes_is_foretold_unless_the_database_is_empty(
    project: Provision, client: redis.Redis
) -> None:
    write(1, RAW)
    write(2, "trim_stream: {name: s, max_length: 1}")
    assert foretold(project) == []
    client.set("something", "else")
    assert foretold(project) == ["the entries of stream s but its newest 1 are lost"]
    client.delete("something")
    assert project("up").code == 0
    assert ids(client) == [2]


def test_entries_that_came_after_the_forecast_stop_the_trim_when_it_is_sent(
    project: Provision, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(client, 30)
    write(1, "create_group: {stream: s, name: first}", "trim_stream: {name: s, max_length: 20}")
    with monkeypatch.context() as blind:
        blind.setattr(RedisStatements, "losses_of", lambda *_: {})
        stopped = project("up")

    assert (stopped.code, len(ids(client))) == (3, 30)
    said = "redis/0001_step would lose data: the entries of stream s but its newest 20 are lost: 10 of 30"
    assert f"error[destructive]: {said}" in stopped.err
    assert "failed" in project("status").out
    assert project("up", "--allow-destructive").code == 0
    assert ids(client) == list(range(11, 31))


def test_way_down_says_that_entries_do_not_come_back(project: Provision, client: redis.Redis) -> None:
    fill(client, 3)
    write(1, "trim_stream: {name: s, max_length: 1}", down="down: auto\n")
    automatic = project("up", "--allow-destructive")
    assert (automatic.code, len(ids(client))) == (2, 3)
    assert "`down: auto` cannot undo trim_stream on line 2" in automatic.err
    write(1, "trim_stream: {name: s, max_length: 1}")
    assert project("up", "--allow-destructive").code == 0
    back = project("down", "--all", "--allow-destructive")
    assert (back.code, ids(client)) == (3, [3])
    assert "has no way down: the entries are gone" in back.err


def trimmed(store: RedisStore, n: int, token: int = 1) -> None:
    (statement,) = store.statements.of(Step(store.revisions()[0], Direction.UP))
    mark = Mark("vfr", token, "redis/0001", 1)
    store.statements.advance(statement, mark, event(EventKind.APPLIED, token=token, n=n), None)


@pytest.mark.parametrize("how", ["max_length: 150", "max_length: 150, approximate: true", "min_id: 30851"])
def test_long_stream_is_trimmed_a_page_at_a_time_and_goes_on_where_it_was_killed(
    how: str, make: Make, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(client, 31_000)
    store = make(f"up:\n  - trim_stream: {{name: s, {how}}}\n{GONE}")
    (statement,) = store.statements.of(Step(store.revisions()[0], Direction.UP))
    sizes, batch = [], Fence.batch

    def killed(fence: Fence, *words: object) -> list[object]:
        sizes.append(client.xlen("s"))
        if len(sizes) == 3:
            raise FailedError("server-lost", "cut")
        return batch(fence, *words)  # type: ignore[arg-type]

    with monkeypatch.context() as cut:
        cut.setattr(Fence, "batch", killed)
        with pytest.raises(FailedError, match="cut"):
            trimmed(store, 1)
    assert (sizes, store.ledger.read()) == ([31_000, 21_000, 11_000], [])
    assert store.statements.probe(statement, event()).outcome is Outcome.NOT_DONE
    trimmed(store, 1, token=2)
    left = 200 if "approximate" in how else 150
    assert ids(client) == list(range(31_001 - left, 31_001))
    assert store.statements.probe(statement, event()).outcome is Outcome.DONE
    assert [each.kind for each in store.ledger.read()] == [EventKind.APPLIED]


def test_node_of_another_size_counts_and_a_server_that_does_not_tell_has_the_usual_one(
    make: Make, client: redis.Redis
) -> None:
    fill(client, 250)
    store = make(f"up:\n  - trim_stream: {{name: s, max_length: 149, approximate: true}}\n{GONE}")
    (statement,) = store.statements.of(Step(store.revisions()[0], Direction.UP))

    def outcome() -> Outcome:
        return store.statements.probe(statement, event()).outcome

    assert outcome() is Outcome.NOT_DONE
    client.config_set("stream-node-max-entries", 102)
    assert outcome() is Outcome.DONE
    client.execute_command("ACL", "SETUSER", "default", "-config")
    try:
        assert outcome() is Outcome.NOT_DONE
    finally:
        client.execute_command("ACL", "SETUSER", "default", "+config")
        client.config_set("stream-node-max-entries", 100)


def test_entries_that_were_deleted_are_not_counted(make: Make, client: redis.Redis) -> None:
    fill(client, 10)
    client.xdel("s", *[f"{number}-1" for number in range(2, 8)])
    store = make(f"up:\n  - trim_stream: {{name: s, max_length: 4}}\n  - trim_stream: {{name: s, min_id: 1}}\n{GONE}")
    step = Step(store.revisions()[0], Direction.UP)
    assert store.losses_of([step]) == {"redis/0001": []}
    assert {store.statements.probe(each, event()).outcome for each in store.statements.of(step)} == {Outcome.DONE}
