"""Copies whose objects go over gRPC on a real server: exact all the same, and over REST where it is another one."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from provision.documents.refused import Refused
from provision.errors import StatementFailed
from provision.kinds import build
from provision.model import Direction, StoreOptions
from provision.net.http import Unanswered
from provision.stores.weaviate.copy.form import Form
from provision.stores.weaviate.copy.grpc import GrpcAddress, GrpcBatches
from provision.stores.weaviate.copy.side import CopySide
from provision.stores.weaviate.setup import health
from provision.stores.weaviate.store import WeaviateStore
from tests.servers.databases import Weaviate
from tests.stores.weaviate.conftest import up
from tests.stores.weaviate.raw import Mover, Raw
from tests.stores.weaviate.replace_world import LEVEL, Writer, content, first, load, objects_of, second, unlike

KINDS = (
    "{name: t, dataType: [text]}, {name: n, dataType: [int]}, {name: x, dataType: [number]}, {name: b, dataType:"
    " [boolean]}, {name: d, dataType: [date]}, {name: u, dataType: [uuid]}, {name: ts, dataType: ['text[]']},"
    " {name: ns, dataType: ['int[]']}, {name: xs, dataType: ['number[]']}, {name: bs, dataType: ['boolean[]']},"
    " {name: ds, dataType: ['date[]']}, {name: us, dataType: ['uuid[]']}, {name: bin, dataType: [blob]},"
    " {name: geo, dataType: [geoCoordinates]}, {name: o, dataType: [object], nestedProperties: [{name: p, dataType:"
    " [int]}]}"
)
EVERY = "{{class: All_v{0}, vectorizer: none, invertedIndexConfig: {{indexTimestamps: true}}, properties: [{1}]}}"
VALUES: dict[str, Any] = {
    "t": "ünïcode \x00 “x”",
    "n": 9007199254740991,
    "x": 0.1,
    "b": False,
    "d": "2026-01-02T03:04:05.123456789Z",
    "u": "00000000-0000-0000-0000-000000000001",
    "ts": ["a", ""],
    "ns": [1, -2],
    "xs": [1, 2.5, 3],
    "bs": [True, False],
    "ds": ["2026-01-02T03:04:05.000000001Z"],
    "us": ["00000000-0000-0000-0000-000000000002"],
    "bin": "aGVsbG8=",
}

Over = Callable[..., WeaviateStore]


@pytest.fixture
def over(written: Callable[..., StoreOptions], raw: Raw, weaviate_server: Weaviate) -> Iterator[Over]:
    """An open store over documents given as text, whose `grpc` is the server's or the one given."""
    made: list[WeaviateStore] = []

    def one(*texts: str, grpc: str = weaviate_server.grpc, **extra: object) -> WeaviateStore:
        store = build(written(*texts, grpc=grpc, **extra))
        assert isinstance(store, WeaviateStore)
        store.open(raw.url)
        store.ledger.create()
        made.append(store)
        return store

    yield one
    for store in made:
        store.close()


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects each batch over REST held."""
    sizes: list[int] = []
    put = CopySide.put

    def counted(side: CopySide, objects: Sequence[dict[str, Any]]) -> None:
        sizes.append(len(objects))
        put(side, objects)

    monkeypatch.setattr(CopySide, "put", counted)
    return sizes


def test_every_object_is_copied_over_grpc_exactly(over: Over, raw: Raw, rest: list[int]) -> None:
    store = over(first(), second())
    mover = Mover(store)
    mover.move(Direction.UP, "0001")
    held = load(raw, 700)

    mover.move(Direction.UP, "0002")

    assert not [size for size in rest if size]
    assert content(raw, "Signals_v2") == held
    [told] = [each.message for each in health.look(store.options, raw.url, home=False) if each.rule == "grpc"]
    assert told == f"objects are copied over gRPC of {store.options.extra['grpc']}"


def test_writers_beside_a_copy_over_grpc_lose_nothing(over: Over, raw: Raw) -> None:
    mover = Mover(over(first(), second()))
    mover.move(Direction.UP, "0001")
    writer = Writer(raw.url, load(raw, 600))
    writer.start()
    mover.move(Direction.UP, "0002")
    time.sleep(0.2)
    assert unlike(writer.stop(), content(raw, "Signals")) == LEVEL
    assert raw.aliases() == {"Signals": "Signals_v2"}
    assert writer.done > 5


@pytest.mark.parametrize(
    "more", [{}, {"geo": {"latitude": 1.5, "longitude": 2.5}, "o": {"p": 1}}], ids=["flat", "deep"]
)
def test_every_type_comes_out_as_it_went_in(over: Over, raw: Raw, rest: list[int], more: dict[str, Any]) -> None:
    mover = Mover(
        over(
            up(f"create_collection: {EVERY.format(1, KINDS)}", "create_alias: {alias: All, class: All_v1}"),
            up(f"replace_collection: {{alias: All, class: {EVERY.format(2, KINDS)}}}"),
        )
    )
    mover.move(Direction.UP, "0001")
    for number in range(3):
        key = str(uuid.UUID(int=number + 1))
        properties = {**VALUES, **more} if number else {}
        raw.send("POST", "/objects", {"class": "All", "id": key, "properties": properties, "vector": [1, 0.5]})

    mover.move(Direction.UP, "0002")

    def plain(name: str) -> list[Any]:
        return [(each["id"], each["properties"], each["vector"]) for each in objects_of(raw, name)]

    assert plain("All_v2") == plain("All_v1")
    # A batch that gRPC cannot take as it is goes over REST whole.
    assert [size for size in rest if size] == ([3] if more else [])


PLAIN = ("text", "int", "number", "boolean", "date", "uuid")
EDGES: dict[str, list[Any]] = {
    "text": ["", "\u2028 “x” \x00"],
    "int": [0, 2**53 + 1, -(2**62)],
    "number": [1.0, -0.0, 1e21, 123456789012345678901.0, 5e-324],
    "boolean": [False, True],
    "date": ["2026-01-01T00:00:00.000Z", "2026-01-01T02:00:00.123456789+05:30"],
    "uuid": ["0A0B0C0D-0000-4000-8000-000000000001"],
}


def test_page_over_grpc_is_the_page_over_rest(over: Over, raw: Raw) -> None:
    """Every type that is read over gRPC, empty and at its edges, with a vector, named ones and rows of them."""
    properties = [
        {"name": f"p{kind}{many and 's'}", "dataType": [kind + many]} for kind in PLAIN for many in ("", "[]")
    ]
    flat, rows = ({"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"} for _ in range(2))
    several = {"flat": flat, "rows": {**rows, "vectorIndexConfig": {"multivector": {"enabled": True}}}}
    raw.send("POST", "/schema", {"class": "Edges", "properties": properties, "vectorizer": "none"})
    raw.send("POST", "/schema", {"class": "Named", "properties": [], "vectorConfig": several})
    made: list[dict[str, Any]] = [{}, {f"p{kind}s": [] for kind in PLAIN}]
    made += [{f"p{kind}": value, f"p{kind}s": [value, value]} for kind in PLAIN for value in EDGES[kind]]
    for number, values in enumerate(made):
        key = str(uuid.UUID(int=number))
        vector = {"vector": [0.1, 1e-30, number]} if number else {}
        raw.send("POST", "/objects", {"class": "Edges", "id": key, "properties": values, **vector})
    vectors = {"flat": [1, 0.1], "rows": [[0.1, 0.2, 0.3], [1, 2, 3]]}
    for number in (1, 2):
        raw.send("POST", "/objects", {"class": "Named", "id": str(uuid.UUID(int=number)), "vectors": vectors})

    server = over(first()).server()
    for name, count in (("Edges", len(made) - 1), ("Named", 1)):
        found = server.collection(name)
        assert found is not None
        form = Form.between(found, found)
        assert form.source_vectors is not None
        start = str(uuid.UUID(int=0 if name == "Edges" else 1))
        assert server.batches is not None
        page = server.batches.page(name, None, start, 100, form.source_vectors)
        listed = CopySide(server, name, None, 100).page(start, 100)
        assert page is not None
        assert len(page) == count
        assert [form.expected(each) for each in page] == [form.digest(each) for each in listed]
        assert [form.made(each)["properties"].keys() for each in page] == [
            form.made(each)["properties"].keys() for each in listed
        ]
        ids = server.batches.page(name, None, start, 100, None)
        assert ids is not None
        assert [each["id"] for each in ids] == [each["id"] for each in listed]


def test_pages_over_grpc_leave_no_object_out_and_say_what_is_not_finite(over: Over, raw: Raw) -> None:
    raw.send("POST", "/schema", {"class": "Odd", "vectorizer": "none", "properties": []})
    keys = [str(uuid.UUID(int=number)) for number in range(205)]  # the first is nil, behind which a cursor would start
    objects = [{"class": "Odd", "id": key, "properties": {}, "vector": [1, 0.5]} for key in keys]
    raw.send("POST", "/batch/objects", {"objects": objects})
    server = over(first()).server()
    side = CopySide(server, "Odd", None, 100, ("",))
    assert [each["id"] for page in side.pages() for each in page] == keys
    assert [key for key, _ in side.ids()] == keys
    assert isinstance(side.page(keys[0], 100)[0]["vector"], array)
    assert server.batches is not None
    odd = {"id": keys[150], "properties": {}, "vector": [float("nan"), 0.5]}
    assert server.batches.put("Odd", None, [odd])
    with pytest.raises(Refused, match=r"behind id \S+ holds a number that is not finite"):
        list(side.pages())


def test_object_that_the_class_refuses_is_told_as_over_rest(
    over: Over, raw: Raw, capsys: pytest.CaptureFixture[str]
) -> None:
    mover = Mover(over(first(), second().replace("dataType: [int]", "dataType: [date]")))
    mover.move(Direction.UP, "0001")
    load(raw, 3, size=2)

    with pytest.raises(StatementFailed, match="objects were refused by Signals_v2"):
        mover.move(Direction.UP, "0002")

    assert raw.aliases() == {"Signals": "Signals_v1"}
    assert capsys.readouterr().err == ""


def test_grpc_of_another_server_gets_nothing(over: Over, raw: Raw, rest: list[int], tmp_path: Path) -> None:
    with Weaviate(tmp_path / "other") as other:
        mover = Mover(over(first(), second(), grpc=other.grpc))
        mover.move(Direction.UP, "0001")
        held = load(raw, 50)

        mover.move(Direction.UP, "0002")

        assert content(raw, "Signals_v2") == held
        assert sum(rest) == 50
        assert Raw(other.url).get("/schema")["classes"] == []


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("", "no `grpc` is configured"),
        ("host", "`grpc` is host, not host:port"),
        ("127.0.0.1:1", "127.0.0.1:1 does not answer gRPC: UNAVAILABLE"),
    ],
)
def test_without_grpc_the_copy_goes_over_rest_and_says_why(
    over: Over, raw: Raw, rest: list[int], place: str, why: str
) -> None:
    store = over(first(), second(), grpc=place)
    mover = Mover(store)
    mover.move(Direction.UP, "0001")
    held = load(raw, 20)

    mover.move(Direction.UP, "0002")

    assert content(raw, "Signals_v2") == held
    assert sum(rest) == 20
    batches = store.server().batches
    assert batches is not None
    assert batches.why_not() == why
    told = [each.message for each in health.look(store.options, raw.url, home=False) if each.rule == "grpc"]
    assert told == ([f"objects are copied over REST: {why}"] if place else [])


def test_own_certificates_are_not_taken(over: Over) -> None:
    batches = over(first(), verify=False).server().batches
    assert batches is not None
    assert batches.why_not() == "weaviate-client takes no certificates of one's own"


def test_server_that_falls_silent_may_still_write_so_the_run_ends(weaviate_server: Weaviate, raw: Raw) -> None:
    raw.send("POST", "/schema", {"class": "Late", "vectorizer": "none"})
    batches = GrpcBatches(GrpcAddress(weaviate_server.grpc, raw.url, "", own_trust=False))
    assert not batches.why_not()
    batches._client._connection.timeout_config.insert = 0.0001
    objects = [{"id": str(uuid.uuid4()), "properties": {}, "vector": [0.5] * 500} for _ in range(500)]
    with pytest.raises(Unanswered, match="DEADLINE_EXCEEDED"):
        batches.put("Late", None, objects)
    batches.close()
    assert batches.why_not() == "it is closed"


def test_client_is_loaded_without_a_word(weaviate_server: Weaviate, raw: Raw) -> None:
    """In a process of its own, where nothing has loaded it yet."""
    lines = [
        "from provision.stores.weaviate.copy.grpc import GrpcAddress, GrpcBatches",
        f"batches = GrpcBatches(GrpcAddress({weaviate_server.grpc!r}, {raw.url!r}, '', own_trust=False))",
        "assert not batches.why_not()",
        "batches.close()",
    ]
    ran = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
