"""Files of eight times as many statements: what each way of growing costs `lint`, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from bench.rounds import Pair
from tests.lint import pages

TIMES, BOUND = 8, 14.0
Texts = Callable[[int], str]


def _body(count: int) -> str:
    return "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 0;" + "SELECT 1;\n" * count + "END;"


def _each(text: str) -> Texts:
    """`text` with the numbers of its turn in the place of `#`."""
    return lambda count: "".join(text.replace("#", str(number)) for number in range(count))


# How many statements are few, and how they are made.
FILES: dict[str, tuple[int, Texts]] = {
    "letters that are not ASCII": (1500, _each("SELECT 'größer, länger, schöner, höher und weiter';\n")),
    "indexes, each of its own table": (1000, _each("CREATE TABLE t# (a int);\nCREATE INDEX x# ON t# (a);\n")),
    "indexes of one table": (
        150,
        lambda count: "CREATE TABLE t (a int);\n" + _each("CREATE INDEX i# ON t (c#);\n")(count),
    ),
    "names of tables": (
        1000,
        lambda count: "CREATE TABLE t (id int);" + _each("ALTER TABLE t# RENAME TO u#;\n")(count),
    ),
    "comments that allow": (
        200,
        _each("-- lint: allow index-not-concurrent: small\nCREATE INDEX i# ON t (c#);\n"),
    ),
    "one transaction": (600, lambda count: "BEGIN;\n" + "INSERT INTO t VALUES (1);\n" * count),
    "one body": (500, _body),
}


def pairs(rounds: int) -> Iterator[Pair]:
    pages.found("postgres", ["SELECT 1"])  # what is imported once
    for name, (count, make) in FILES.items():
        many, few = make(count * TIMES), make(count)
        yield Pair(f"{TIMES} × {name}", partial(_seconds, many), partial(_seconds, few), "once", rounds, BOUND)


def _seconds(text: str) -> float:
    """Of this process."""
    begun = time.process_time()
    pages.found("postgres", [text])
    return time.process_time() - begun
