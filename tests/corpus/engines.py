"""Runs a case on its engine and says whether the harm was done."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from pglast import split

from tests.corpus import rest_engines
from tests.corpus.cases import Case

_WAIT = "500ms"  # after which a statement counts as blocked


class Harmless(AssertionError):
    """The engine did not do what the case says."""


def harmed(case: Case, url: str) -> None:
    """Run it; raises Harmless where nothing of what the case says is seen. `url` is an empty database of its own."""
    runs = {
        "postgres": _postgres,
        "clickhouse": _clickhouse,
        "redis": _redis,
        "influx": _influx,
        "weaviate": _weaviate,
        "arango": _arango,
    }
    runs[case.kind](case, url)


def _influx(case: Case, url: str) -> None:
    for shown, value in rest_engines.influx(case, url, _refused):
        _holds(shown == value, f"{shown!r}, not {value!r}")


def _arango(case: Case, url: str) -> None:
    rest_engines.arango(case, url, _refused)


def _weaviate(case: Case, url: str) -> None:
    for shown, value in rest_engines.weaviate(case, url):
        _holds(shown == value, f"{shown!r}, not {value!r}")


def _postgres(case: Case, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other, psycopg.connect(url, autocommit=True) as own:
        if case.before:
            own.execute(case.before.encode())
        if case.beside:
            other.execute(case.beside.encode())
        said: list[str] = []
        own.add_notice_handler(lambda each: said.append(each.message_primary or ""))
        own.execute("set client_min_messages = debug1")
        harm = case.harm
        if "queues" in harm:
            _queued(case, own, url)
        elif "fails" in harm:
            _refused(lambda: _run(own, case.change), str(harm["fails"]))
        elif "blocks" in harm:
            _run(own, case.change, but_commit=True)
            _blocked(url, harm["blocks"])
        elif "rewrites" in harm:
            old = _file(own, harm["rewrites"])
            _run(own, case.change)
            _holds(_file(own, harm["rewrites"]) != old, "the table is in the same file")
        elif "says" in harm:
            _run(own, case.change)
            _holds(any(re.search(harm["says"], each) for each in said), str(said))
        else:
            _run(own, case.change)
            _after(case, lambda text: own.execute(text.encode()))


def _after(case: Case, execute: object) -> None:
    assert callable(execute)
    if "breaks" in case.harm:
        text, code = case.harm["breaks"]
        _refused(lambda: execute(text), str(code))
    else:
        text, value = case.harm["shows"]
        rows = execute(text)
        shown = str(rows.fetchone()[0]) if hasattr(rows, "fetchone") else str(rows)
        _holds(shown == str(value), f"{shown!r}, not {value!r}")


def _run(own: psycopg.Connection, text: str, *, but_commit: bool = False) -> None:
    for each in split(text, with_parser=False):
        if not (but_commit and str(each).strip().lower() == "commit"):
            own.execute(str(each).encode())


def _refused(act: object, code: str) -> None:
    assert callable(act)
    try:
        act()
    except Exception as error:  # each engine has its own
        found = getattr(error, "sqlstate", None) or (re.findall(r"Code: (\d+)", str(error)) or [str(error)])[0]
        _holds(str(found) == code or code in str(error), f"{found}: {error}")
        return
    raise Harmless("nothing failed")


def _blocked(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as third:
        third.execute(f"set lock_timeout = '{_WAIT}'".encode())
        _refused(lambda: third.execute(text.encode()), "55P03")


def _queued(case: Case, own: psycopg.Connection, url: str) -> None:
    """The change waits for what is beside it, and everybody else waits for the change."""

    def change() -> None:
        with suppress(psycopg.Error):  # it is cancelled below
            _run(own, case.change)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        time.sleep(0.5)
        _holds(thread.is_alive(), "the change did not wait")
        _blocked(url, case.harm["queues"])
    finally:
        own.cancel()
        thread.join()


def _file(own: psycopg.Connection, table: str) -> int:
    row = own.execute("select pg_relation_filenode(%s::regclass)", [table]).fetchone()
    assert row is not None
    return int(row[0])


def _holds(seen: bool, otherwise: str) -> None:
    if not seen:
        raise Harmless(otherwise)


def _clickhouse(case: Case, _url: str) -> None:
    from provision.stores.clickhouse.migrate.parse.lexer import lexemes

    def statements(text: str) -> Iterator[str]:
        start = 0
        for each in lexemes(text):
            if each.kind == "semicolon":
                yield text[start : each.start]
                start = each.end
        yield text[start:]

    with _chdb() as query:

        def run(text: str) -> str:
            found = ""
            for each in statements(text):
                if each.strip():
                    found = query(each)
            return found.strip()

        run(case.before)
        if "fails" in case.harm:
            _refused(lambda: run(case.change), str(case.harm["fails"]))
        else:
            run(case.change)
            _after(case, run)


@contextmanager
def _chdb() -> Iterator[object]:
    import chdb

    connection = chdb.connect(":memory:")
    try:
        connection.query("drop database if exists corpus")
        connection.query("create database corpus")
        connection.query("use corpus")
        yield lambda text: str(connection.query(text, "TabSeparatedRaw"))
    finally:
        connection.close()


def _redis(case: Case, url: str) -> None:
    import redis

    client = redis.Redis.from_url(url)
    client.flushall()
    client.config_set("slowlog-log-slower-than", 1000)
    for line in case.before.strip().split("\n"):
        if line:
            client.eval(line, 0)
    client.slowlog_reset()
    for line in case.change.strip().split("\n"):
        try:
            client.execute_command(*shlex.split(line))
        except redis.ResponseError as error:
            _holds("fails" in case.harm and str(case.harm["fails"]) in str(error), str(error))
            return
    if "slow" in case.harm:
        longest = max((each["duration"] for each in client.slowlog_get()), default=0)
        _holds(longest >= case.harm["slow"], f"{longest} µs")
    else:
        text, value = case.harm["shows"]
        shown = client.execute_command(*text.split())
        _holds(str(shown) == str(value), f"{shown!r}")
