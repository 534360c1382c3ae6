"""A project whose graph, in the contract double of ArangoDB, is filled from tables of a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from provision.backfill.log import LoggedRuns
from tests.doubles.served.process import counts
from tests.servers.databases import WORD
from tests.stores.arango.raw import Raw

_NUMBERS = itertools.count(1)

TOML = """
[project]
name = "shop"
home = "arango"

[stores.models]
kind = "postgres"
path = "models"

[stores.arango]

[environments.test]
models.url = "${SHOP_POSTGRES}"
arango.url = "${SHOP_ARANGO}"
"""
FOLLOWS = """\
description: Which version follows which
store: arango
from:
  store: models
  table: models
  key: id
  columns: [name, parent, score, meta, at, tenant]
  where: parent is not null
edges: follows
_key: "{parent}-{name}"
_from: nodes/{parent}
_to: nodes/{name}
set: {score: "{score}", meta: "{meta}", at: "{at}", label: "{parent} then {name}", weight: 1, active: true}
batch: {rows: 40}
"""
_TABLE = """
create table models (id uuid primary key default gen_random_uuid(), n integer not null unique, name text, parent text,
    score numeric(5,4), meta jsonb, at timestamptz, tenant text not null)
"""
_ROWS = """
insert into models (id, n, name, parent, score, meta, at, tenant)
select md5(i::text)::uuid, i, 'm' || i, case when i > 1 then 'm' || i - 1 end, case when i %% 2 = 0 then 0.5 end,
    jsonb_build_object('n', i), '2026-03-02 09:00:00+01'::timestamptz + i * interval '1 second', 'acme'
from generate_series(1, %s) i
"""


@dataclass(frozen=True)
class Graph:
    """The project at `place`, its source and its target. The double answers at `raw`."""

    place: Path
    url: str
    raw: Raw

    def sow(self, models: int) -> None:
        """A chain of models, each the parent of the next, and their vertices."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_TABLE)
            connection.execute(_ROWS, [models])
        self.raw.ask("POST", "/_api/collection", {"name": "nodes"})
        self.raw.ask("POST", "/_api/collection", {"name": "follows", "type": 3})
        self.vertices(*(f"m{n}" for n in range(1, models + 1)))

    def vertices(self, *keys: str, **attributes: object) -> None:
        made = [{"_key": key, "tenant": "acme", **attributes} for key in keys]
        assert not [each for each in self.raw.ask("POST", "/_api/document/nodes", made) if each.get("error")]

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def document(self, text: str, name: str = "follows") -> None:
        (self.place / "backfills" / f"{name}.yaml").write_text(text)

    def edges(self, collection: str = "follows") -> dict[str, dict[str, Any]]:
        """Every edge by its key."""
        return {each["_key"]: each for each in self.all_of(collection)}

    def count(self) -> int:
        """How many edges there are."""
        return int(self.raw.ask("GET", "/_api/collection/follows/count")["count"])

    def ends(self) -> set[tuple[str, str, str]]:
        """Key and both ends of every edge."""
        return {(key, each["_from"], each["_to"]) for key, each in self.edges().items()}

    def ids(self, *numbers: int) -> list[str]:
        """The ids of models, by their numbers."""
        with psycopg.connect(self.url) as source:
            rows = source.execute("select id::text from models where n = any(%s) order by n", [list(numbers)])
            return [str(row[0]) for row in rows]

    def all_of(self, collection: str) -> list[dict[str, Any]]:
        body = {"query": "FOR d IN @@c RETURN d", "bindVars": {"@c": collection}, "batchSize": 100_000}
        found: list[dict[str, Any]] = self.raw.ask("POST", "/_api/cursor", body)["result"]
        return found

    def put_back(self, collection: str, documents: list[dict[str, Any]]) -> None:
        """Restore a collection to what it held."""
        self.raw.ask("PUT", f"/_api/collection/{collection}/truncate")
        kept = [{name: value for name, value in each.items() if name not in ("_id", "_rev")} for each in documents]
        if kept:
            answers = self.raw.ask("POST", f"/_api/document/{collection}", kept)
            assert not [each for each in answers if each.get("error")]


def chain(models: int, *but: int) -> set[tuple[str, str, str]]:
    """The edges that a chain of models comes to, without those to some of them."""
    known = (n for n in range(2, models + 1) if n not in but)
    return {(f"m{n - 1}-m{n}", f"nodes/m{n - 1}", f"nodes/m{n}") for n in known}


def at_advance(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Do something after so many batches, before the cursor of the last one is kept."""
    advance, calls = LoggedRuns.advance, itertools.count(1)

    def acted(self: LoggedRuns, *arguments: Any) -> None:
        if next(calls) == number:
            act()
        advance(self, *arguments)

    monkeypatch.setattr(LoggedRuns, "advance", acted)


@contextmanager
def laid_out(place: Path, monkeypatch: pytest.MonkeyPatch, url: str, arango: str) -> Iterator[Graph]:
    """The project as the working directory. At the end, no request may have broken the vendor's document."""
    raw = Raw(f"http://{urlsplit(arango).netloc.rpartition('@')[2]}", f"edges{next(_NUMBERS)}", WORD)
    raw.make()
    for folder in ("models", "arango", "backfills"):
        (place / folder).mkdir()
    (place / "provision.toml").write_text(TOML)
    (place / "backfills" / "follows.yaml").write_text(FOLLOWS)
    monkeypatch.chdir(place)
    monkeypatch.setenv("SHOP_POSTGRES", url)
    monkeypatch.setenv("SHOP_ARANGO", raw.url)
    monkeypatch.setenv("PROVISION_ENV", "test")
    yield Graph(place, url, raw)
    raw.drop()
    raw.close()
    assert counts(raw.server)["invalid_requests"] == []
