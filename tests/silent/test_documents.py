"""Stores of documents fall silent behind a statement that took effect, and ArangoDB as the home store."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Run, Small
from tests.silent.conftest import Behind
from tests.silent.proxy import Proxy
from tests.silent.test_postgres import COUNTED, LEASE, SOON, TABLE, said, silenced

# kind → the server, the first document, the second, what the request of the second holds
SILENT = {
    "redis": (
        "redis_7",
        "create_stream: {{name: '{0}:a', maxlen: 100, owner: team, description: events}}",
        "create_stream: {{name: '{0}:b', maxlen: 100, owner: team, description: events}}",
        b"{0}:b",
    ),
    "influx": ("influx_1", "create_database: {{name: {0}_a}}", "create_database: {{name: {0}_b}}", b"{0}_b"),
    "weaviate": ("weaviate", "create_collection: {{class: A{0}}}", "create_collection: {{class: B{0}}}", b"B{0}"),
    "arango": ("arango", "create_collection: {{name: a}}", "create_collection: {{name: silently}}", b"silently"),
}


def project(place: Path, kind: str, url: str, postgres: str) -> Small:
    made = Small(place, {"postgres": postgres, kind: url})
    (place / kind).mkdir(exist_ok=True)
    return named(place, made)


def named(place: Path, made: Small) -> Small:
    """With a name of its own: servers are shared."""
    toml = place / "provision.toml"
    toml.write_text(toml.read_text().replace('name = "small"', f'name = "{word(place)}"'))
    return made


def word(place: Path) -> str:
    return f"q{abs(hash(place)) % 10**8}"


def document(place: Path, kind: str, number: str, operation: str) -> None:
    text = f"description: of {number}\nup:\n  - {operation.format(word(place))}\ndown: auto\n"
    (place / kind / f"{number}_step.yaml").write_text(text)


@pytest.mark.parametrize("kind", SILENT)
def test_store_silent_behind_a_statement_ends_the_run_and_the_next_one_asks_what_became_of_it(
    kind: str, tmp_path: Path, postgres: str, behind: Behind, request: pytest.FixtureRequest, rows: Rows
) -> None:
    fixture, first, second, sent = SILENT[kind]
    direct = request.getfixturevalue(fixture)
    url = f"{direct}/{word(tmp_path)}" if kind == "arango" else direct
    proxy, through = behind(url)
    made = project(tmp_path, kind, through, postgres)
    document(tmp_path, kind, "0001", first)
    applied = made.run("up", "--allow-destructive")
    assert applied.code == 0, applied.err
    document(tmp_path, kind, "0002", second)
    proxy.behind = sent.replace(b"{0}", word(tmp_path).encode())
    run = made.start("up", "--allow-destructive", lease=f"{LEASE}s")

    lines = fell_silent(run, proxy)

    assert lines == [
        f"error[server-lost]: {kind} fell silent: no answer for N s",
        f"where  {kind}/0002 is in hand, and what becomes of it is not known",
    ]
    assert rows("select expires_at > now() from provision.lease where name = 'run' and owner is not null") == [(True,)]
    proxy.speak()
    again = made.run("up", "--allow-destructive", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert made.run("ledger", "verify").code == 0
    for each in made.runs:
        each.clear()


def fell_silent(run: Run, proxy: Proxy) -> list[str]:
    run.until(proxy.silent.is_set, "the statement")
    since = time.monotonic()
    ended = run.end()
    assert time.monotonic() - since < SOON
    assert ended.code == 5, ended.err
    return said(ended)


@pytest.fixture
def at_home(tmp_path: Path, postgres: str, arango: str, behind: Behind) -> tuple[Small, Proxy]:
    """A project whose home store is an ArangoDB behind a proxy; its first revision is applied."""
    proxy, url = behind(f"{arango}/{word(tmp_path)}")
    made = Small(tmp_path, {"postgres": postgres, "arango": url}, home="arango")
    (tmp_path / "arango").mkdir()
    named(tmp_path, made)
    made.revisions(TABLE)
    first = made.run("up")
    assert first.code == 0, first.err
    return made, proxy


def test_arango_as_home_falls_silent(at_home: tuple[Small, Proxy], rows: Rows) -> None:
    made, proxy = at_home
    made.revisions(TABLE, 'op.execute("select pg_sleep(10)")\n' + COUNTED.format("2"), COUNTED.format("3"))
    run = made.start("up", lease=f"{LEASE}s")
    since = silenced(run, proxy, rows, "state = 'active' and query like '%pg_sleep%'")

    ended = run.end()

    assert time.monotonic() - since < SOON
    assert ended.code == 5, ended.err
    assert said(ended)[0].startswith("error[home-silent]: the home store fell silent: no answer for N s")
    proxy.speak()
    again = made.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert sorted(rows("select step from effects")) == [("2",), ("3",)]


def test_arango_as_home_silent_at_the_start_is_unreachable(at_home: tuple[Small, Proxy]) -> None:
    made, proxy = at_home
    proxy.silent.set()
    since = time.monotonic()

    ended = made.run("up", lease=f"{LEASE}s")

    assert time.monotonic() - since < 60
    assert ended.code == 4, ended.err
    assert "error[unreachable]: " in ended.err


def test_arango_as_home_silent_when_the_lock_is_taken(at_home: tuple[Small, Proxy], rows: Rows) -> None:
    made, proxy = at_home
    made.revisions(TABLE, COUNTED.format("2"))
    proxy.behind = b"highest"  # of the document of the lock
    run = made.start("up", lease=f"{LEASE}s")
    run.until(proxy.silent.is_set, "the lock")
    since = time.monotonic()

    ended = run.end()

    assert time.monotonic() - since < SOON
    assert ended.code == 4, ended.err
    assert "error[unreachable]: the home store does not answer" in ended.err
    proxy.speak()
    again = made.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert rows("select step from effects") == [("2",)]
