"""`replace_collection` on a real server, seen over raw HTTP: what it carries, what it refuses, and its way back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from provision.errors import ConfigError, StatementFailed
from provision.model import Direction, Step
from provision.model.statements import Outcome
from provision.stores.weaviate.copy import side as copy_side
from provision.stores.weaviate.migrate.operations import replacing
from tests.stores.weaviate.conftest import Make, up
from tests.stores.weaviate.raw import Mover, Raw, event
from tests.stores.weaviate.replace_world import (
    ALIAS,
    CLASS,
    LEVEL,
    Writer,
    content,
    first,
    load,
    objects_of,
    packed,
    second,
    unlike,
)

V1 = CLASS.format("word", "Signals_v1")
V2 = CLASS.format("field", "Signals_v2")
KEY = "00000000-0000-0000-0000-000000000007"
OTHER = "00000000-0000-0000-0000-000000000008"


def insert(raw: Raw, **fields: Any) -> None:
    raw.send("POST", "/objects", {"class": "Signals", **fields})


def schema(raw: Raw) -> list[Any]:
    """The collections, their properties by name: the server changes that order whenever it is told anything."""
    listed = [each for each in raw.get("/schema")["classes"] if not each["class"].startswith("Provision_")]
    ordered = [{**each, "properties": sorted(each["properties"], key=lambda one: str(one["name"]))} for each in listed]
    return [sorted(ordered, key=lambda each: str(each["class"])), raw.aliases()]


def failure(mover: Mover, number: str = "0002") -> StatementFailed:
    with pytest.raises(StatementFailed) as caught:
        mover.move(Direction.UP, number)
    return caught.value


def outcomes(mover: Mover, number: str = "0002") -> list[Outcome]:
    step = Step(next(each for each in mover.store.revisions() if each.number == number), Direction.UP)
    return [mover.statements.probe(each, event()).outcome for each in mover.statements.of(step)]


def test_replace_carries_every_object_and_moves_the_alias(make: Make, raw: Raw) -> None:
    mover = Mover(make(first(), second()))
    mover.move(Direction.UP, "0001")
    held = load(raw, 700)
    assert outcomes(mover)[0] is Outcome.NOT_DONE

    mover.move(Direction.UP, "0002")

    assert outcomes(mover) == [Outcome.DONE] * 3
    assert raw.aliases() == {"Signals": "Signals_v2"}
    assert unlike(held, content(raw, "Signals_v2")) == LEVEL
    assert unlike(held, content(raw, "Signals_v1")) == LEVEL
    tokenizations = {each["name"]: each.get("tokenization") for each in raw.get("/schema/Signals_v2")["properties"]}
    assert tokenizations == {"t": "field", "n": None}


def test_replace_empty_collection(make: Make, raw: Raw) -> None:
    Mover(make(first(), second())).move()
    assert raw.aliases() == {"Signals": "Signals_v2"}
    assert objects_of(raw, "Signals_v2") == []


def test_replace_carries_every_type_and_vector_as_it_is(make: Make, raw: Raw) -> None:
    types = ("text[]", "int", "int[]", "number", "number[]", "boolean", "boolean[]", "date", "date[]", "uuid", "uuid[]")
    types += ("geoCoordinates", "phoneNumber", "blob", "text")
    properties = [{"name": f"p{number}", "dataType": [kind]} for number, kind in enumerate(types)]
    nested = [{"name": "x", "dataType": ["text"]}, {"name": "y", "dataType": ["int[]"]}]
    properties.append({"name": "o", "dataType": ["object[]"], "nestedProperties": nested})
    properties.append({"name": "other", "dataType": ["Other"]})
    vectors = {
        "flat": {"vectorizer": {"none": {}}, "vectorIndexType": "flat", "vectorIndexConfig": {"distance": "dot"}},
        "many": {"vectorizer": {"none": {}}, "vectorIndexConfig": {"multivector": {"enabled": True}}},
    }
    stamped = {"indexTimestamps": True}
    old, new = (
        {"class": name, "vectorConfig": vectors, "properties": properties, "invertedIndexConfig": {**stamped, **more}}
        for name, more in (("All_v1", {}), ("All_v2", {"indexNullState": True}))
    )
    made = up(
        "create_collection: {class: Other}",
        f"create_collection: {json.dumps(old)}",
        "create_alias: {alias: Signals, class: All_v1}",
    )
    mover = Mover(make(made, up(f"replace_collection: {json.dumps({'alias': 'Signals', 'class': new})}")))
    mover.move(Direction.UP, "0001")
    raw.send("POST", "/objects", {"class": "Other", "id": OTHER})
    values = [["a", "b"], 2**53 + 2, [1, -(2**60)], 0.1, [1e-300, 2.5], True, [False, True]]
    values += ["2024-01-01T00:00:00.123456789+02:00", ["2024-01-01T00:00:00Z"], KEY, [KEY, OTHER]]
    values += [{"latitude": 52.366, "longitude": 4.9}, {"input": "020 1234567", "defaultCountry": "nl"}, "aGVsbG8="]
    values += ['é "vector":[1] \U0001f600']
    filled: dict[str, Any] = {f"p{number}": value for number, value in enumerate(values)}
    filled |= {"o": [{"x": "q", "y": [1, 2]}], "other": [{"beacon": f"weaviate://localhost/Other/{OTHER}"}]}
    insert(raw, id=KEY, properties=filled, vectors={"flat": [0.1, 0.2], "many": [[1, 2], [3, 4.5], [0.3, 0.7]]})
    insert(raw, id=OTHER, properties={"p0": ["only"]})

    mover.move(Direction.UP, "0002")

    before, after = (
        [{key: each[key] for key in ("id", "properties", "vectors") if key in each} for each in objects_of(raw, name)]
        for name in ("All_v1", "All_v2")
    )
    assert before[0]["vectors"].keys() == {"flat", "many"}
    assert after == before


def test_replace_nameless_vector_becomes_the_named_one_and_back(make: Make, raw: Raw) -> None:
    named = V2.replace("vectorizer: none", "vectorConfig: {main: {vectorizer: {none: {}}, vectorIndexType: hnsw}}")
    mover = Mover(make(first(), up(f"replace_collection: {{alias: Signals, class: {named}}}")))
    mover.move(Direction.UP, "0001")
    held = load(raw, 20, size=4)

    mover.move(Direction.UP, "0002")
    found = {each["id"]: packed(each["vectors"]["main"]) for each in objects_of(raw, "Signals_v2")}
    assert found == {key: vector for key, (_, vector) in held.items()}

    insert(raw, id=KEY, properties={"t": "later"}, vectors={"main": [1, 2, 3, 4]})
    mover.move(Direction.DOWN, "0002")
    assert unlike(held | {KEY: ({"t": "later"}, packed([1, 2, 3, 4]))}, content(raw, "Signals")) == LEVEL


def test_replace_follows_every_tenant(make: Make, raw: Raw) -> None:
    tenanted = "multiTenancyConfig: {enabled: true}, properties"
    old, new = V1.replace("properties", tenanted), V2.replace("properties", tenanted)
    tenants = "create_tenants: {class: Signals_v1, tenants: [{name: acme}, {name: blue}, {name: none}]}"
    made = up(f"create_collection: {old}", ALIAS, tenants)
    mover = Mover(make(made, up(f"replace_collection: {{alias: Signals, class: {new}}}")))
    mover.move(Direction.UP, "0001")
    for tenant in ("acme", "blue"):
        insert(raw, id=KEY, tenant=tenant, properties={"t": tenant}, vector=[1, 2])

    mover.move(Direction.UP, "0002")

    assert raw.tenants("Signals_v2") == {"acme": "HOT", "blue": "HOT", "none": "HOT"}
    texts = {tenant: [each["properties"]["t"] for each in objects_of(raw, "Signals_v2", tenant)] for tenant in _TENANTS}
    assert texts == {"acme": ["acme"], "blue": ["blue"], "none": []}
    with pytest.raises(AssertionError, match="read-only"):
        raw.send("POST", "/objects", {"class": "Signals_v1", "tenant": "acme"})


_TENANTS = ("acme", "blue", "none")


def test_replace_inactive_tenant_is_refused(make: Make, raw: Raw) -> None:
    tenanted = "multiTenancyConfig: {enabled: true}, properties"
    old, new = V1.replace("properties", tenanted), V2.replace("properties", tenanted)
    tenants = "create_tenants: {class: Signals_v1, tenants: [{name: acme}, {name: cold, activityStatus: INACTIVE}]}"
    made = up(f"create_collection: {old}", ALIAS, tenants)
    mover = Mover(make(made, up(f"replace_collection: {{alias: Signals, class: {new}}}")))
    mover.move(Direction.UP, "0001")
    before = raw.everything()

    error = failure(mover)

    assert error.what == (
        "collection Signals_v2, to replace what Signals stands for: tenants of Signals_v1 are not active and cannot be"
        " read: cold (INACTIVE)"
    )
    assert error.fix == (
        "activate them with `update_tenants` before it, and put them back to sleep in the new collection after it"
    )
    assert raw.everything() == before


def test_replace_without_times_is_refused_by_the_documents(make: Make) -> None:
    old = V1.replace("invertedIndexConfig: {indexTimestamps: true}, ", "")
    store = make(up(f"create_collection: {old}", ALIAS), second())
    with pytest.raises(ConfigError) as caught:
        store.revisions()
    assert (caught.value.code, caught.value.where) == ("document-invalid", "weaviate/0002_case.yaml:2:26")
    assert caught.value.what == (
        "Signals_v1 keeps no times of updates (indexTimestamps), so writes during the copy could not be found again"
    )
    assert caught.value.fix == "stop everything that writes to it and state `writers: stopped`"


def test_replace_without_times_is_refused_on_the_server(make: Make, raw: Raw) -> None:
    raw.send("POST", "/schema", {"class": "Signals_v1", "vectorizer": "none"})
    raw.send("POST", "/aliases", {"alias": "Signals", "class": "Signals_v1"})
    before = raw.get("/schema/Signals_v1")
    error = failure(Mover(make(second())), "0001")
    assert error.what == (
        "collection Signals_v2, to replace what Signals stands for: Signals_v1 keeps no times of updates"
        " (indexTimestamps), so writes during the copy could not be found again"
    )
    assert error.fix == "stop everything that writes to it and state `writers: stopped`"
    assert raw.classes() == ["Signals_v1"]
    assert raw.get("/schema/Signals_v1") == before


def test_replace_with_writers_stopped_needs_no_times(make: Make, raw: Raw) -> None:
    old = V1.replace("invertedIndexConfig: {indexTimestamps: true}, ", "")
    mover = Mover(make(up(f"create_collection: {old}", ALIAS), second("writers: stopped")))
    mover.move(Direction.UP, "0001")
    held = load(raw, 300)
    mover.move(Direction.UP, "0002")
    assert unlike(held, content(raw, "Signals_v2")) == LEVEL


def test_replace_property_without_a_place_is_refused_and_dropped_when_stated(make: Make, raw: Raw) -> None:
    less = V2.replace(", {name: n, dataType: [int]}", "")
    with pytest.raises(ConfigError) as caught:
        make(first(), up(f"replace_collection: {{alias: Signals, class: {less}}}")).revisions()
    assert caught.value.what == "Signals_v2 has no place for n of Signals_v1"
    assert caught.value.fix == "add it to the class, or state `drop: [n]`"

    mover = Mover(make(first(), up(f"replace_collection: {{alias: Signals, drop: [n], class: {less}}}")))
    mover.move(Direction.UP, "0001")
    load(raw, 30)
    step = Step(mover.store.revisions()[1], Direction.UP)
    assert mover.store.losses(step) == ("n of every object behind Signals is left behind",)
    mover.move(Direction.UP, "0002")
    assert {tuple(each["properties"]) for each in objects_of(raw, "Signals")} == {("t",)}

    key = objects_of(raw, "Signals")[3]["id"]
    raw.send("PUT", f"/objects/Signals/{key}", {"class": "Signals", "id": key, "properties": {"t": "new"}})
    mover.move(Direction.DOWN, "0002")
    back = {each["id"]: each["properties"] for each in objects_of(raw, "Signals")}
    assert back[key].keys() == {"n", "t"}
    assert back[key]["t"] == "new"


def test_replace_collection_that_others_refer_to_is_refused(make: Make, raw: Raw) -> None:
    mover = Mover(make(first(), second()))
    mover.move(Direction.UP, "0001")
    raw.send("POST", "/schema", {"class": "Note", "properties": [{"name": "of", "dataType": ["Signals_v1"]}]})
    error = failure(mover)
    assert error.what == (
        "collection Signals_v2, to replace what Signals stands for: Note.of refers to objects of Signals_v1, and"
        " references do not follow an alias"
    )
    assert raw.classes() == ["Note", "Signals_v1"]


def test_replace_without_alias_is_refused(make: Make, raw: Raw) -> None:
    raw.send("POST", "/schema", {"class": "Signals_v1"})
    error = failure(Mover(make(second())), "0001")
    assert error.what == "there is no alias Signals: `create_alias` comes first"


def test_replace_object_the_new_class_refuses_is_told_and_goes_on_once_cured(make: Make, raw: Raw) -> None:
    wrong = V2.replace("{name: n, dataType: [int]}", "{name: n, dataType: [text]}")
    mover = Mover(make(first(), up(f"replace_collection: {{alias: Signals, class: {wrong}}}")))
    mover.move(Direction.UP, "0001")
    insert(raw, id=KEY, properties={"n": 5}, vector=[1])
    error = failure(mover)
    assert error.what.startswith(
        "copy the objects behind Signals to Signals_v2 and read them back: 1 of 1 objects were refused by Signals_v2,"
        f" {KEY}: invalid text property 'n' on class 'Signals_v2'"
    )
    assert error.fix == (
        "cure the object and run again; or delete Signals_v2, settle the revision with `provision resolve <id>"
        " --pending`, correct the class and run again"
    )
    assert raw.aliases() == {"Signals": "Signals_v1"}

    raw.send("DELETE", f"/objects/Signals/{KEY}")
    insert(raw, id=KEY, properties={"t": "cured"}, vector=[1])
    mover.move(Direction.UP, "0002")
    assert content(raw, "Signals_v2") == {KEY: ({"t": "cured"}, packed([1]))}


def test_replace_says_the_same_when_only_the_way_it_goes_is_changed(make: Make) -> None:
    def texts(extra: str) -> list[str]:
        store = make(first(), second(extra))
        return [each.text for each in store.statements.of(Step(store.revisions()[1], Direction.UP))]

    assert texts("pause: 1s") == texts("pause: 5m, batch: 50, keep: 2d, writers: stopped")


def test_replace_down_brings_back_what_was_written_since(make: Make, raw: Raw) -> None:
    mover = Mover(make(first(), second("keep: 7d")))
    mover.move(Direction.UP, "0001")
    before = schema(raw)
    held = load(raw, 300)
    mover.move(Direction.UP, "0002")
    deleted, updated = sorted(held)[:2]
    raw.send("DELETE", f"/objects/Signals/{deleted}")
    changed = {"class": "Signals", "id": updated, "properties": {"t": "later", "n": -1}, "vector": [1.0] * 128}
    raw.send("PUT", f"/objects/Signals/{updated}", changed)
    insert(raw, id=KEY, properties={"t": "new"}, vector=[2.0] * 128)
    del held[deleted]
    held |= {updated: ({"t": "later", "n": -1}, packed([1.0] * 128)), KEY: ({"t": "new"}, packed([2.0] * 128))}

    mover.move(Direction.DOWN, "0002")

    assert unlike(held, content(raw, "Signals")) == LEVEL
    assert schema(raw) == before
    insert(raw, id=OTHER, properties={"t": "again"}, vector=[2.0] * 128)
    mover.move(Direction.UP, "0002")
    assert len(content(raw, "Signals_v2")) == len(held) + 1


def test_replace_down_is_refused_once_the_old_one_is_removed(make: Make, raw: Raw) -> None:
    mover = Mover(make(first(), second("keep: 1s")))
    mover.move()
    raw.send("DELETE", "/schema/Signals_v1")
    with pytest.raises(StatementFailed) as caught:
        mover.move(Direction.DOWN, "0002")
    assert caught.value.what == "there is no way back: what Signals_v2 replaced was kept for 1s and is removed"
    assert raw.aliases() == {"Signals": "Signals_v2"}


def test_replace_longer_than_writes_may_be_refused_gives_writes_back(
    make: Make, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    mover = Mover(make(first(), second("pause: 1s")))
    mover.move(Direction.UP, "0001")
    load(raw, 50)
    monkeypatch.setattr(replacing, "QUIET_SECONDS", 1.5)
    insert(raw, id=KEY, properties={"t": "x"}, vector=[1.0] * 128)
    error = failure(mover)
    assert error.what == (
        "alias Signals to Signals_v2, level with what it stood for: the last look at Signals_v1 lasts longer than the"
        " 1s for which it may refuse writes; it takes them again, nothing was moved"
    )
    insert(raw, id=OTHER, properties={"t": "y"}, vector=[1.0] * 128)
    assert raw.aliases() == {"Signals": "Signals_v1"}


def test_replace_and_its_way_back_under_a_writer(make: Make, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provision.stores.weaviate.copy.objects.FEW", 20)
    monkeypatch.setattr("provision.stores.weaviate.copy.side.IDS", 64)
    mover = Mover(make(first(), second("keep: 7d")))
    mover.move(Direction.UP, "0001")
    writer = Writer(raw.url, load(raw, 600))
    writer.start()
    mover.move(Direction.UP, "0002")
    time.sleep(0.5)
    mover.move(Direction.DOWN, "0002")
    time.sleep(0.2)
    wanted = writer.stop()
    assert unlike(wanted, content(raw, "Signals")) == LEVEL
    assert raw.aliases() == {"Signals": "Signals_v1"}
    assert writer.done > 20


def test_changed_objects_are_found_beyond_what_one_answer_holds(
    make: Make, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(first())
    Mover(store).move()
    held = load(raw, 500, size=2)
    since = max(each["lastUpdateTimeUnix"] for each in objects_of(raw, "Signals_v1")) + 1
    chosen = sorted(held)[::3]
    time.sleep(0.01)
    for key in chosen:
        raw.send("PATCH", f"/objects/Signals_v1/{key}", {"class": "Signals_v1", "properties": {"t": "x"}})
    monkeypatch.setattr(copy_side, "IDS", 7)
    side = copy_side.CopySide(store.server(), "Signals_v1", None, 50)
    assert sorted(side.changed(since)) == chosen
    assert len(side.changed(0)) == 500
    assert side.last() == max(held)


def test_leftover_is_removed_when_its_time_is_up(make: Make, raw: Raw) -> None:
    store = make(first(), second("keep: 1s"))
    Mover(store).move()
    schema = raw.everything()
    time.sleep(1.1)

    (due,) = store.leftovers.due()

    assert (due.store, due.name) == ("weaviate", "Signals_v1")
    assert due.reason == f"replaced by Signals_v2, kept until {due.due:%Y-%m-%d %H:%M} UTC"
    assert raw.everything() == schema
    store.leftovers.remove(due)
    assert raw.classes() == ["Signals_v2"]
    assert store.leftovers.due() == []
    store.leftovers.remove(due)


def test_leftover_is_kept_while_it_is_needed(make: Make, raw: Raw) -> None:
    store = make(first(), second("keep: 1s"))
    Mover(store).move()
    time.sleep(1.1)
    (due,) = store.leftovers.due()

    raw.send("PUT", "/aliases/Signals", {"class": "Signals_v1"})
    assert store.leftovers.due() == []
    store.leftovers.remove(due)
    raw.send("PUT", "/aliases/Signals", {"class": "Signals_v2"})
    raw.send("POST", "/aliases", {"alias": "Second", "class": "Signals_v1"})
    assert store.leftovers.due() == []
    raw.send("DELETE", "/aliases/Second")
    raw.send("DELETE", "/aliases/Signals")
    assert store.leftovers.due() == []
    store.leftovers.remove(due)
    assert raw.classes() == ["Signals_v1", "Signals_v2"]


def test_leftover_of_a_replacement_that_was_replaced_goes_too(make: Make) -> None:
    store = make(first(), second("keep: 1s"), second("keep: 7d", "Signals_v3"))
    Mover(store).move()
    time.sleep(1.1)
    assert [each.name for each in store.leftovers.due()] == ["Signals_v1"]


def test_leftovers_ask_nothing_where_nothing_is_replaced(make: Make, tmp_path: Path) -> None:
    store = make(first())
    store.close()
    assert list(store.leftovers.due()) == []
    assert (tmp_path / "weaviate").is_dir()
