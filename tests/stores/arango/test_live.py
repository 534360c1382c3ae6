"""What is on a server comes back as documents that make the same on an empty one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.errors import UnreachableError
from provision.model import Finding, Severity, StoreOptions
from provision.model.statements import Mark, Outcome
from provision.stores.arango import KIND
from provision.stores.arango.marks import ArangoMarked
from provision.stores.arango.server import Server
from provision.stores.arango.setup import health, live
from provision.stores.arango.store import ArangoStore
from tests.stores.arango.gate import Fault, Gate
from tests.stores.arango.moves import event, fates, move, opened, write
from tests.stores.arango.raw import Raw
from tests.stores.arango.test_operations import EVERYTHING

Make = Callable[..., ArangoStore]
DRAFT, LAYOUT = KIND.draft(), KIND.layout()
assert DRAFT
assert LAYOUT


def options(folder: Path) -> StoreOptions:
    return StoreOptions("graph", "arango", "vfr", folder, folder.parent)


def test_found_makes_the_same_again(make: Make, raw: Raw, folder: Path) -> None:
    write(folder, EVERYTHING)
    store = opened(make(), raw.url)
    move(store)
    found = live.found(options(folder), raw.url)
    assert [each.message for each in found] == [
        "analyzer words",
        "collection people",
        "collection knows",
        "graph g",
        "view v",
        "view w",
    ]
    (folder / "0001_x.yaml").unlink()
    for number, each in enumerate(found, 1):
        operations = [{name: body} for name, body in each.operations]
        (folder / f"{number:04d}_x.yaml").write_text(json.dumps({"up": operations, "down": "auto"}))
    again = make()
    again.open(raw.url)
    assert [fate.outcome for fate in fates(again)] == [Outcome.DONE] * len(fates(again))
    raw.drop()
    fresh = opened(make(), raw.url)
    move(fresh)
    assert live.found(options(folder), raw.url) == found


def test_found_leaves_out_what_the_server_fills_in_and_what_is_ours(make: Make, raw: Raw, folder: Path) -> None:
    store = opened(make(), raw.url)
    store.ledger.append(event(1, 1))
    raw.ask("POST", "/_api/collection", {"name": "plain"})
    raw.ask("POST", "/_api/index?collection=plain", {"type": "hash", "fields": ["a"], "name": "old"})
    [found] = live.found(options(folder), raw.url)
    assert found.operations == (
        ("create_collection", {"name": "plain"}),
        ("create_index", {"collection": "plain", "name": "old", "type": "persistent", "fields": ["a"]}),
    )


def test_found_on_a_server_without_the_database(raw: Raw, folder: Path) -> None:
    assert list(live.found(options(folder), raw.url)) == []
    assert raw.database not in raw.databases()


def test_draft_is_a_document_once_its_lines_are_taken_in(make: Make, folder: Path) -> None:
    [path] = DRAFT.write(options(folder), "orders and items", ["postgres/0001"])
    assert path.name == "0001_orders_and_items.yaml"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.removeprefix("#") if line.startswith("#  ") else line for line in lines))
    [revision] = make().revisions()
    assert (revision.description, revision.requires) == ("orders and items", ("postgres/0001",))


def test_layout_is_found_once_a_document_is_there(tmp_path: Path) -> None:
    assert LAYOUT.found(tmp_path) is None
    LAYOUT.start(tmp_path, "arango", "arango")
    assert LAYOUT.found(tmp_path) is None
    (tmp_path / "arango/0001_x.yaml").write_text("")
    assert LAYOUT.found(tmp_path) == {"path": "arango"}


def test_health_of_a_good_server(raw: Raw, folder: Path) -> None:
    raw.make()
    found = health.look(options(folder), raw.url, home=True)
    assert [(each.rule, each.severity) for each in found] == [
        ("privileges", Severity.FINE),
        ("clock", Severity.FINE),
    ]


def test_health_of_a_graph_with_a_hole(raw: Raw, barred: Gate, url_through: str, folder: Path) -> None:
    raw.make()
    definition = {"collection": "e", "from": ["c"], "to": ["c"]}
    raw.ask("POST", "/_api/gharial", {"name": "g", "edgeDefinitions": [definition]})
    left = 200, {"error": False, "code": 200, "result": [{"name": "e", "type": 3}]}
    barred.rule = lambda _method, path: left if "/_api/collection?" in path else None
    assert health.look(options(folder), url_through, home=False)[-1] == Finding(
        "graphs",
        Severity.WARNING,
        "graph",
        "graph g is made of c, which is not there",
        '`POST /_api/collection` with {"name": "c", "type": 2}; '
        "or `DELETE /_api/gharial/g`, which keeps the collections",
    )
    raw.ask("DELETE", "/_api/gharial/g")
    assert [each for each in health.look(options(folder), url_through, home=False) if each.rule == "graphs"] == []


def test_health_of_a_reader_and_a_wrong_clock(raw: Raw, barred: Gate, url_through: str, folder: Path) -> None:
    raw.make()

    def rule(_method: str, path: str) -> Fault:
        if "/user/" in path:
            return 200, {"error": False, "code": 200, "result": "ro"}
        if path.endswith("/cursor"):
            return 201, {"error": False, "code": 201, "result": [0], "hasMore": False}
        return None

    barred.rule = rule
    found = health.look(options(folder), url_through, home=False)
    assert [(each.rule, each.severity) for each in found] == [
        ("privileges", Severity.ERROR),
        ("clock", Severity.WARNING),
    ]
    assert found[0].message == f"root may not make collections in it: {raw.database} is ro"
    assert found[0].fix == f'`PUT /_api/user/root/database/{raw.database}` with {{"grant": "rw"}}, as root'


def test_running_queries_of_ours_are_found_and_ended(make: Make, barred: Gate, url_through: str) -> None:
    store = opened(make(), url_through)
    mark = Mark("vfr", 7, "graph/0002", 3)
    theirs = {"id": "1", "query": "FOR d IN c RETURN d", "runTime": 1.0}
    ours = {"id": "2", "query": f"/* {mark} */ FOR d IN c REMOVE d IN c", "runTime": 12.5}

    def rule(method: str, path: str) -> Fault:
        if path.endswith("/query/current"):
            return 200, [theirs, ours]
        if method == "DELETE" and path.endswith("/_api/query/2"):
            return 404, {"error": True, "code": 404, "errorNum": 1591, "errorMessage": "cannot kill"}
        return None

    barred.rule = rule
    [running] = store.marked.running()
    assert (running.mark, running.seconds, running.text, running.handle) == (
        mark,
        12.5,
        "FOR d IN c REMOVE d IN c",
        "2",
    )
    store.marked.cancel(running)


def test_marked_of_a_store_that_is_not_open() -> None:
    def closed() -> Server:
        raise UnreachableError("not-open", "graph was not opened")

    with pytest.raises(UnreachableError) as caught:
        ArangoMarked(closed).running()
    assert caught.value.code == "not-open"
