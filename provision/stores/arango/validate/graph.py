"""Which edges lie on a cycle, found on disk: a graph of any size takes the same few megabytes of memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from provision.validate.scan import Deadline

Edge = tuple[str, str]
# After so many components that hold cycles the exact number says nothing more.
ENOUGH = 1000
# Edges of one cycle that are shown.
LONGEST = 20
_BATCH = 1000
_TABLES = """
pragma journal_mode = off; pragma synchronous = off; pragma temp_store = file; pragma cache_size = -8000;
create table raw (a text, b text);
create table node (id integer primary key, name text unique);
create table edge (a integer, b integer);
create temp table ahead (id integer primary key);
create temp table both (id integer primary key);
create temp table gone (id integer primary key);
"""
_GRAPH = """
insert or ignore into node (name) select a from raw; insert or ignore into node (name) select b from raw;
insert into edge select f.id, t.id from raw join node f on f.name = raw.a join node t on t.name = raw.b;
drop table raw;
create index out_of on edge (a, b); create index into_of on edge (b, a);
create table degree (id integer primary key, come integer not null, go integer not null);
insert into degree select id, (select count(*) from edge where b = id), (select count(*) from edge where a = id)
from node;
create index no_come on degree (id) where come = 0; create index no_go on degree (id) where go = 0;
"""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of a component of `edges` edges in which every vertex reaches every other.

    `path` ends with the vertex it begins with, unless it was `cut`.
    """

    path: tuple[str, ...]
    edges: int
    cut: bool = False


def cycles(edges: Iterable[Edge], deadline: Deadline) -> Iterator[Cycle]:
    """One cycle of each strongly connected component, at most ENOUGH. Raises FailedError (check-timeout)."""
    # An empty name is a file of its own that goes when it is closed.
    with closing(sqlite3.connect("", isolation_level=None)) as base:
        base.executescript(_TABLES)
        listed = iter(edges)
        while batch := list(islice(listed, _BATCH)):
            deadline.check()
            base.executemany("insert into raw values (?, ?)", batch)
        base.executescript(_GRAPH)
        yield from islice(_Graph(base, deadline).cycles(), ENOUGH)


class _Graph:
    """What is left of a graph; vertices without a way in or out are on no cycle and go first."""

    def __init__(self, base: sqlite3.Connection, deadline: Deadline) -> None:
        self._base, self._deadline = base, deadline

    def cycles(self) -> Iterator[Cycle]:
        self._trim()
        while (row := self._base.execute("select a from edge limit 1").fetchone()) is not None:
            self._deadline.check()
            found = self._component(row[0])
            if found:
                path, cut = self._walk(row[0])
                yield Cycle(path, found, cut)
            self._remove("select id from both")
            self._trim()

    def _component(self, pivot: int) -> int:
        """Put every vertex that the pivot reaches and that reaches it into `both`; how many edges lie between them."""
        self._base.executescript("delete from ahead; delete from both;")
        ahead = "select ? union select b from edge join r on a = r.id"
        self._base.execute(f"insert into ahead with recursive r (id) as ({ahead}) select id from r", (pivot,))
        back = "select ? union select a from edge join r on b = r.id where a in (select id from ahead)"
        self._base.execute(f"insert into both with recursive r (id) as ({back}) select id from r", (pivot,))
        inside = "select count(*) from both join edge on a = both.id where b in (select id from both)"
        return int(self._base.execute(inside).fetchone()[0])

    def _walk(self, start: int) -> tuple[tuple[str, ...], bool]:
        """Vertices from one to itself, every step inside the component, or the first LONGEST and that they were cut."""
        seen: dict[int, int] = {}
        at, path = start, list[int]()
        while at not in seen and len(path) < LONGEST:
            seen[at] = len(path)
            path.append(at)
            step = "select b from edge where a = ? and b in (select id from both) order by b limit 1"
            at = self._base.execute(step, (at,)).fetchone()[0]
        cut = at not in seen
        whole = path if cut else [*path[seen[at] :], at]
        name = "select name from node where id = ?"
        return tuple(str(self._base.execute(name, (each,)).fetchone()[0]) for each in whole), cut

    def _trim(self) -> None:
        for column in ("come", "go"):
            ready = f"select id from degree where {column} = 0 limit {_BATCH}"
            while self._base.execute(ready).fetchone() is not None:
                self._deadline.check()
                self._remove(ready)

    def _remove(self, vertices: str) -> None:
        """Take vertices and their edges away."""
        self._base.execute("delete from gone")
        self._base.execute(f"insert into gone {vertices}")
        for mine, other, column in (("a", "b", "come"), ("b", "a", "go")):
            lost = f"select {other}, count(*) from gone join edge on edge.{mine} = gone.id group by {other}"
            self._base.executemany(
                f"update degree set {column} = {column} - ? where id = ?",
                [(count, vertex) for vertex, count in self._base.execute(lost)],
            )
        self._base.execute("delete from edge where a in (select id from gone)")
        self._base.execute("delete from edge where b in (select id from gone)")
        self._base.execute("delete from degree where id in (select id from gone)")
