"""`max_length` on every kind of store that has texts: characters are counted, not bytes, and NULL has none."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.validate.scan import ROWS
from tests.stores.arango.raw import Raw as ArangoRaw
from tests.stores.weaviate.raw import Raw as WeaviateRaw
from tests.validate.other_stores import Single, make
from tests.validate.platform import Platform
from tests.validate.test_arango import raw as arango_raw
from tests.validate.test_influx import Series, of_1, of_2

__all__ = ["arango_raw", "of_1", "of_2"]

# By name, so that what is found reads itself; three characters are allowed.
GOOD = {"empty": "", "three": "abc", "umlauts": "äöü", "faces": "😀😀😀", "blank": "   ", "nothing": None}
LONG = {
    "four": "abcd",
    "more_umlauts": "äöüß",
    "more_faces": "😀😀😀😀",
    "accents": "e\u0301e\u0301",
    "lines": "a\nb\n",
}
TEXTS = {**GOOD, **LONG}
LISTS: dict[str, Any] = {"none": [], "short": ["abc", "äöü", ""], "one": ["a", "äöüß"], "all": ["abcd", "abcd"]}
LONG_LISTS = {"one", "all"}
SUITE = """\
store: {store}
table: {table}
{more}
checks:
  - name: short
    max_length: {{column: {column}, max: {most}}}
    sample: [{shown}]
"""


def suite(
    store: str, column: str = "v", most: int = 3, *, table: str = "texts", more: str = "", key: str = "id"
) -> str:
    return SUITE.format(store=store, table=table, column=column, most=most, more=more, shown=f"{key}, {column}")


def found(made: Platform | Single, text: str, total: int = len(TEXTS)) -> dict[Any, Any]:
    """What the check shows of bad rows, by their key; all bad rows are shown, and the count is theirs."""
    made.suite("texts", text)
    ran = made.validate("texts", "--sample", "100")
    assert ran.code in (0, 1), ran.err
    if "short" not in ran.found:
        results = {each["check"]: each for each in ran.json["results"]}
        assert (results["short"]["status"], results["short"]["bad"], results["short"]["total"]) == ("pass", 0, total)
        return {}
    one = ran.found["short"]
    assert (one["status"], one["bad"], one["total"]) == ("fail", len(one["samples"]), total), one["message"]
    return {next(iter(row.values())): list(row.values())[1] for row in one["samples"]}


def refused(made: Platform | Single, text: str, said: str) -> None:
    made.suite("texts", text)
    ran = made.run("validate", "texts")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.fixture
def tables(platform: Platform) -> Iterator[Platform]:
    """No table of texts is left in either database."""
    yield platform
    platform.sql("drop table if exists texts")
    platform.sql("drop domain if exists word")
    platform.ch("DROP TABLE IF EXISTS texts")


@pytest.mark.parametrize("kind", ["text", "varchar", "varchar(9)", "word"])
def test_postgres_texts(tables: Platform, kind: str) -> None:
    tables.sql("create domain word as text")
    tables.sql(f"create table texts (id text primary key, v {kind})")
    for key, value in TEXTS.items():
        tables.sql("insert into texts values (%s, %s)", key, value)

    assert found(tables, suite("postgres")) == LONG
    assert found(tables, suite("postgres", most=4)) == {}
    assert found(tables, suite("postgres", most=0)).keys() == TEXTS.keys() - {"empty", "nothing"}


def test_postgres_blanks_that_fill_up_a_char_are_not_counted(tables: Platform) -> None:
    tables.sql("create table texts (id text primary key, v char(9))")
    for key, value in TEXTS.items():
        tables.sql("insert into texts values (%s, %s)", key, value)

    assert found(tables, suite("postgres")).keys() == LONG.keys()


def test_postgres_lists(tables: Platform) -> None:
    tables.sql("create table texts (id text primary key, v text[])")
    for key, value in {**LISTS, "nothing": None, "holes": [None, "abc"], "deep": [["abc", "a"], ["b", "äöüß"]]}.items():
        tables.sql("insert into texts values (%s, %s)", key, value)

    assert found(tables, suite("postgres"), 7).keys() == LONG_LISTS | {"deep"}


@pytest.mark.parametrize(
    ("kind", "called"), [("int", "integer"), ("jsonb", "jsonb"), ("bytea", "bytea"), ("int[]", "integer[]")]
)
def test_postgres_other_types_are_refused(tables: Platform, kind: str, called: str) -> None:
    tables.sql(f"create table texts (id text primary key, v {kind})")

    refused(tables, suite("postgres"), f"error[bad-expression]: short: v is {called}, not text")


@pytest.mark.parametrize("kind", ["Nullable(String)", "LowCardinality(Nullable(String))", "Nullable(FixedString(20))"])
def test_clickhouse_texts(tables: Platform, kind: str) -> None:
    tables.ch(f"CREATE TABLE texts (id String, v {kind}) ENGINE = MergeTree ORDER BY id")
    rows = "\n".join(json.dumps({"id": key, "v": value}) for key, value in TEXTS.items())
    tables.ch(f"INSERT INTO texts FORMAT JSONEachRow {rows}")

    assert found(tables, suite("clickhouse")).keys() == LONG.keys()
    assert found(tables, suite("clickhouse", most=4)) == {}
    assert found(tables, suite("clickhouse", most=0)).keys() == TEXTS.keys() - {"empty", "nothing"}


@pytest.mark.parametrize(
    "kind", ["Array(String)", "Array(LowCardinality(Nullable(String)))", "Array(Nullable(FixedString(20)))"]
)
def test_clickhouse_lists(tables: Platform, kind: str) -> None:
    tables.ch(f"CREATE TABLE texts (id String, v {kind}, d Array({kind})) ENGINE = MergeTree ORDER BY id")
    rows = "\n".join(json.dumps({"id": key, "v": value, "d": [[], value]}) for key, value in LISTS.items())
    tables.ch(f"INSERT INTO texts FORMAT JSONEachRow {rows}")

    assert found(tables, suite("clickhouse"), 4).keys() == LONG_LISTS
    assert found(tables, suite("clickhouse", "d"), 4).keys() == LONG_LISTS


@pytest.mark.parametrize("kind", ["Int32", "Map(String, String)", "Array(UInt8)", "Enum8('abcd' = 1)", "UUID"])
def test_clickhouse_other_types_are_refused(tables: Platform, kind: str) -> None:
    tables.ch(f"CREATE TABLE texts (id String, v {kind}) ENGINE = MergeTree ORDER BY id")

    refused(tables, suite("clickhouse"), f"error[bad-expression]: short: v is {kind}, not text")


def test_bad_rows_are_masked_and_narrowed_like_those_of_other_kinds(tables: Platform) -> None:
    tables.sql("create table texts (id text primary key, v text, who text)")
    tables.sql("insert into texts values ('a', 'abcd', 'acme'), ('b', 'abcd', 'globex')")
    tables.suite("texts", suite("postgres", more="tenant: who\nmask: [v]"))

    [one] = tables.validate("texts", "--tenant", "acme").found.values()
    assert (one["bad"], one["total"], one["samples"]) == (1, 1, [{"id": "a", "v": "•••"}])


@pytest.fixture
def graph(arango_raw: ArangoRaw, tmp_path: Path) -> Single:
    made = make(tmp_path, "arango", {"url": arango_raw.url}, "graph", "0001")
    made.up()
    arango_raw.ask("POST", "/_api/collection", {"name": "texts"})
    return made


def test_arango_texts_lists_and_what_is_neither(graph: Single, arango_raw: ArangoRaw) -> None:
    others = {"number": 12345, "truth": True, "object": {"a": "abcd"}, "mixed": [12345, None, {"a": "abcd"}, "abc"]}
    deep = {"deep": [["a"], [["äöüß"]]]}
    for key, value in {**TEXTS, **LISTS, **others, **deep}.items():
        arango_raw.ask("POST", "/_api/document/texts", {"_key": key, "v": value, "in": {"v": value}})
    arango_raw.ask("POST", "/_api/document/texts", {"_key": "absent"})
    total = len(TEXTS) + len(LISTS) + len(others) + 2

    wanted = {**LONG, **{key: LISTS[key] for key in LONG_LISTS}, **deep}
    assert found(graph, suite("arango", key="_key"), total) == wanted
    assert found(graph, suite("arango", "in.v", key="_key"), total) == wanted
    assert found(graph, suite("arango", most=4, key="_key"), total) == {}


@pytest.fixture
def objects(weaviate: str, tmp_path: Path) -> Iterator[tuple[Single, WeaviateRaw]]:
    """A collection of texts, of lists of them, and of numbers."""
    raw = WeaviateRaw(weaviate)
    raw.wipe()
    made = make(tmp_path, "weaviate", {"url": raw.url}, "vectors", "0001")
    types = {"key": "text", "v": "text", "many": "text[]", "number": "int", "numbers": "number[]", "day": "date"}
    properties = [{"name": name, "dataType": [kind]} for name, kind in types.items()]
    raw.send("POST", "/schema", {"class": "Texts", "vectorizer": "none", "properties": properties})
    yield made, raw
    raw.wipe()


def test_weaviate_texts_and_lists(objects: tuple[Single, WeaviateRaw]) -> None:
    made, raw = objects
    for key, value in TEXTS.items():
        raw.send("POST", "/objects", {"class": "Texts", "properties": {"key": key, "v": value}})
    for key, value in LISTS.items():
        raw.send("POST", "/objects", {"class": "Texts", "properties": {"key": key, "many": value}})
    total = len(TEXTS) + len(LISTS)

    assert found(made, suite("weaviate", table="Texts", key="key"), total) == LONG
    lists = found(made, suite("weaviate", "many", table="Texts", key="key"), total)
    assert lists == {key: LISTS[key] for key in LONG_LISTS}
    assert found(made, suite("weaviate", most=4, table="Texts", key="key"), total) == {}
    # The tenant of a collection without any is no property, and is no text either.
    assert found(made, suite("weaviate", "_tenant", table="Texts", key="key"), total) == {}


@pytest.mark.parametrize(("name", "kind"), [("number", "int"), ("numbers", "number[]"), ("day", "date")])
def test_weaviate_other_types_are_refused(objects: tuple[Single, WeaviateRaw], name: str, kind: str) -> None:
    said = f"error[bad-expression]: short: {name} is {kind}, not text"
    refused(objects[0], suite("weaviate", name, table="Texts", key="key"), said)


@pytest.fixture(params=["of_1", "of_2"])
def series(request: pytest.FixtureRequest) -> Series:
    made: Series = request.getfixturevalue(request.param)
    made.project.up()
    return made


TIER = "database: vfr_ml\ntier: real_time"


def _second(place: int) -> int:
    """A second of half an hour ago, inside the tier."""
    return int(time.time()) // 60 * 60 - 1800 + place


def line(key: str, value: str, place: int) -> str:
    return f'texts,id={key} v="{value}",n=12345,b=true {_second(place)}'


def test_influx_texts(series: Series) -> None:
    texts = {key: value for key, value in TEXTS.items() if value is not None}
    series.put("real_time", *(line(key, value, place) for place, (key, value) in enumerate(texts.items())))
    series.put("real_time", f"texts,id=nothing n=1 {_second(59)}")

    assert found(series.project, suite("influx", more=TIER), len(texts)) == LONG
    assert found(series.project, suite("influx", more=TIER, most=4), len(texts)) == {}
    zero = found(series.project, suite("influx", more=TIER, most=0), len(texts))
    assert zero.keys() == texts.keys() - {"empty"}


def test_influx_long_texts(series: Series) -> None:
    series.put(
        "real_time", *(line(f"t{size}", "ä" * size, place) for place, size in enumerate((999, 1000, 1001, 2500)))
    )

    for most, keys in ((998, {999, 1000, 1001, 2500}), (999, {1000, 1001, 2500}), (1000, {1001, 2500}), (2499, {2500})):
        assert found(series.project, suite("influx", more=TIER, most=most), 4).keys() == {f"t{key}" for key in keys}
    assert found(series.project, suite("influx", more=TIER, most=60_000), 4) == {}


@pytest.mark.parametrize(("name", "kind"), [("n", "a number"), ("b", "true or false")])
def test_influx_other_fields_are_refused(series: Series, name: str, kind: str) -> None:
    series.put("real_time", line("a", "abcd", 0))
    said = f"error[bad-expression]: short: {name} is {kind}, not text"
    refused(series.project, suite("influx", name, more=TIER), said)


def test_influx_limit_that_is_too_high_is_refused(series: Series) -> None:
    series.put("real_time", line("a", "abcd", 0))
    said = "short: of a field no more than 1,000,000 characters are counted"
    refused(series.project, suite("influx", more=TIER, most=1_000_001), said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{column: email}", "checks[1].max_length lacks max"),
        ("{column: email, max: -1}", "checks[1].max_length.max is -1"),
        ("{column: email, max: 1.5}", "checks[1].max_length.max is 1.5"),
        ("{column: email, max: 3, allow_null: true}", "checks[1].max_length has no key allow_null"),
        ("email", "checks[1].max_length is email"),
        ("{column: emial, max: 3}", "users has no column emial"),
    ],
)
def test_wrong_body_is_refused(platform: Platform, body: str, said: str) -> None:
    text = f"store: postgres\ntable: users\nchecks:\n  - name: short\n    max_length: {body}\n"
    refused(platform, text, said)


@pytest.mark.parametrize(("value", "bad"), [(None, False), (12345, False), (True, False), ({"a": "abcd"}, False)])
def test_what_is_no_text_is_not_too_long_where_rows_go_by(value: object, bad: bool) -> None:
    assert ROWS["max_length"]({"column": "v", "max": 3})({"v": value}) is bad
    assert ROWS["max_length"]({"column": "v", "max": 3})({"v": [value, "abcd"]})
