"""A collection copied in batches on a real Weaviate, seen over raw HTTP, from the command line to the moved alias."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from provision.backfill.log import LoggedRuns, RunLogEntry
from provision.cli.main import run
from provision.model import StoreOptions
from provision.stores.weaviate.backfill import steps
from provision.stores.weaviate.backfill.runs import RunEntries
from provision.stores.weaviate.copy import page, side
from provision.stores.weaviate.migrate.operations import replace_create, replacing
from provision.stores.weaviate.migrate.operations.replace_switch import ReplaceSwitch
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import connect
from tests.backfill.project import ROOT, process, until
from tests.expected import Expected
from tests.fixes.following import failed, fix_of
from tests.servers.command_line import Provision
from tests.stores.weaviate.raw import Raw
from tests.stores.weaviate.replace_world import CLASS, LEVEL, Writer, content, first, load, objects_of, packed, unlike

_TOML = """
[project]
name = "shop"
home = "redis"
[stores.redis]
[stores.weaviate]
[environments.test]
redis.url = "{redis}"
weaviate.url = "{weaviate}"
"""
_V2 = CLASS.format("field", "Signals_v2")
_DOCUMENT = (
    "store: weaviate\nalias: Signals\nclass: {0}\nbatch: {{target: 100ms, rows: 100}}\nrequires: [weaviate/0001]\n"
)
KEY = "00000000-0000-0000-0000-000000000007"


@pytest.fixture
def raw(weaviate: str) -> Iterator[Raw]:
    made = Raw(weaviate)
    made.wipe()
    yield made
    made.wipe()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: Raw, redis_7: str) -> Path:
    """A project whose collection Signals_v1 lies behind the alias Signals, empty."""
    with redis.Redis.from_url(redis_7) as client:
        client.flushdb()
    (tmp_path / "provision.toml").write_text(_TOML.format(redis=redis_7, weaviate=raw.url))
    for folder in ("weaviate", "redis", "backfills"):
        (tmp_path / folder).mkdir()
    (tmp_path / "weaviate" / "0001_signals.yaml").write_text(first())
    (tmp_path / "backfills" / "signals.yaml").write_text(_DOCUMENT.format(_V2))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVISION_ENV", "test")
    assert run(["up"]) == 0
    return tmp_path


@pytest.mark.usefixtures("shop")
def test_every_object_is_copied_with_its_id_and_vector_and_the_alias_moves(provision: Provision, raw: Raw) -> None:
    held = load(raw, 700)

    ran = provision("backfill", "run", "signals", "-o", "json")

    found = json.loads(ran.out)
    assert (ran.code, found["state"], found["rows_done"], found["rows_total"]) == (0, "succeeded", 700, 700), ran.err
    assert raw.aliases() == {"Signals": "Signals_v2"}
    assert unlike(held, content(raw, "Signals_v2")) == LEVEL
    assert unlike(held, content(raw, "Signals_v1")) == LEVEL
    tokenizations = {each["name"]: each.get("tokenization") for each in raw.get("/schema/Signals_v2")["properties"]}
    assert tokenizations == {"t": "field", "n": None}
    ledger = [each["properties"] for each in objects_of(raw, "Provision_shop_weaviate_ledger")]
    assert [each["kind"] for each in ledger if each["revision"] == "backfill/signals"] == ["applied"]


def test_a_writer_meanwhile_loses_and_revives_nothing(
    shop: Path, provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side, "IDS", 100)
    monkeypatch.setattr(page, "FEW", 3)
    for module in (steps, replace_create):
        monkeypatch.setattr(module, "UNDER_WAY_MS", 2000)
    monkeypatch.setattr(steps, "MOST", 40)
    monkeypatch.setattr(steps, "CALM", 1)
    monkeypatch.setattr(steps, "ROUNDS", 3)
    document = _DOCUMENT.format(_V2).replace("rows: 100}", "rows: 20}\nrate: 300")
    (shop / "backfills" / "signals.yaml").write_text(document)
    writer = Writer(raw.url, load(raw, 500))
    writer.start()

    ran = provision("backfill", "run", "signals")

    time.sleep(0.3)
    wanted = writer.stop()
    assert ran.code == 0, ran.err
    assert raw.aliases() == {"Signals": "Signals_v2"}
    assert unlike(wanted, content(raw, "Signals_v2")) == LEVEL
    assert writer.done > 50


@pytest.mark.usefixtures("shop")
def test_killed_after_any_step_and_before_its_cursor_a_run_goes_on(
    provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MOST", 60)
    writer = Writer(raw.url, load(raw, 300))
    writer.start()
    advance, calls, cursors = LoggedRuns.advance, itertools.count(1), list[Any]()

    def lost(self: LoggedRuns, name: str, part: Any, *more: Any) -> None:
        if part.done:
            assert raw.aliases() == {"Signals": "Signals_v2"}
        else:
            assert raw.aliases() == {"Signals": "Signals_v1"}
        if next(calls) % 2:
            raise RuntimeError("gone")
        cursors.append(part.cursor)
        advance(self, name, part, *more)

    monkeypatch.setattr(LoggedRuns, "advance", lost)
    codes = list[int]()
    while not codes or codes[-1] != 0:
        assert len(codes) < 40
        codes.append(provision("backfill", "run", "signals").code)

    wanted = writer.stop()
    assert len(codes) >= 8
    assert set(codes[:-1]) == {5}
    assert list(dict.fromkeys(each["do"] for each in cursors)) == ["copy", "follow", "switch", "done"]
    afters = [each["after"] for each in cursors if each["do"] == "copy" and "after" in each]
    assert afters == sorted(set(afters))
    assert unlike(wanted, content(raw, "Signals_v2")) == LEVEL


def test_pause_from_another_process_a_kill_and_resume(shop: Path, provision: Provision, raw: Raw) -> None:
    slow = _DOCUMENT.format(_V2).replace("rows: 100}", "rows: 10}\nrate: 200")
    (shop / "backfills" / "signals.yaml").write_text(slow)
    held = load(raw, 600)
    begun = process(shop, "backfill", "run", "signals")
    until(lambda: count(raw) >= 50)
    assert provision("backfill", "pause", "signals").code == 0
    until(lambda: state(provision)["state"] == "paused")
    paused = state(provision)
    begun.kill()
    begun.communicate(timeout=30)
    deleted, updated = sorted(held)[0], sorted(held)[1]
    raw.send("DELETE", f"/objects/Signals/{deleted}")
    later: dict[str, Any] = {"t": "later", "n": 1}
    changed = {"class": "Signals", "id": updated, "properties": later, "vector": [1.0] * 128}
    raw.send("PUT", f"/objects/Signals/{updated}", changed)

    ran = provision("backfill", "resume", "signals", "--set", "rate=100000", "-o", "json")
    assert ran.code == 0, ran.err
    ran = provision("backfill", "run", "signals", "-o", "json")

    assert ran.code == 0, ran.err
    assert 50 <= paused["rows_done"] < 600
    assert paused["cursor"]["do"] == "copy"
    assert paused["cursor"]["after"] in held
    del held[deleted]
    held[updated] = later, packed([1.0] * 128)
    assert unlike(held, content(raw, "Signals_v2")) == LEVEL
    assert raw.aliases() == {"Signals": "Signals_v2"}


def count(raw: Raw) -> int:
    answer = raw.ask("POST", "/graphql", {"query": "{Aggregate{Signals_v2{meta{count}}}}"})[1]
    return 0 if "errors" in answer else int(answer["data"]["Aggregate"]["Signals_v2"][0]["meta"]["count"])


def state(provision: Provision) -> Any:
    return json.loads(provision("backfill", "status", "signals", "-o", "json").out)[0]


def answered(provision: Provision, *arguments: object) -> Any:
    ran = provision(*arguments, "-o", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def rewrite(shop: Path, extra: str = "", class_: str = _V2) -> None:
    (shop / "backfills" / "signals.yaml").write_text(_DOCUMENT.format(class_) + extra)


TENANTED = "multiTenancyConfig: {enabled: true}, properties"


def test_tenants_that_come_and_go_meanwhile_are_followed(
    shop: Path, provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MOST", 20)
    raw.wipe()
    (shop / "weaviate" / "0001_signals.yaml").write_text(first().replace("properties", TENANTED))
    rewrite(shop, class_=_V2.replace("properties", TENANTED))
    assert provision("up").code == 0
    raw.send("POST", "/schema/Signals_v1/tenants", [{"name": name} for name in ("blue", "cyan", "none", "red")])
    for tenant in ("blue", "cyan", "red"):
        put(raw, tenant, 50)
    advance = LoggedRuns.advance

    def meddled(self: LoggedRuns, name: str, part: Any, *more: Any) -> None:
        if part.cursor.get("tenant") == "cyan" and "acme" not in raw.tenants("Signals_v1"):
            raw.send("POST", "/schema/Signals_v1/tenants", [{"name": "acme"}])
            put(raw, "acme", 70)
        if part.cursor.get("tenant") == "red" and part.cursor["do"] == "copy":
            raw.send("DELETE", "/schema/Signals_v1/tenants", ["red"])
        advance(self, name, part, *more)

    monkeypatch.setattr(LoggedRuns, "advance", meddled)
    answered(provision, "backfill", "run", "signals")

    assert sorted(raw.tenants("Signals_v2")) == ["acme", "blue", "cyan", "none"]
    found = {tenant: objects_of(raw, "Signals_v2", tenant) for tenant in ("acme", "blue", "cyan", "none")}
    assert {tenant: len(each) for tenant, each in found.items()} == {"acme": 70, "blue": 50, "cyan": 50, "none": 0}
    assert {each["properties"]["t"] for each in found["acme"]} == {"acme"}


def put(raw: Raw, tenant: str, count: int) -> None:
    """Objects of one tenant, with ids that all tenants share."""
    keys = [f"00000000-0000-0000-0000-{number:012}" for number in range(count)]
    sent = [
        {"class": "Signals_v1", "id": key, "tenant": tenant, "properties": {"t": tenant}, "vector": [1, 2]}
        for key in keys
    ]
    answer = raw.send("POST", "/batch/objects", {"objects": sent})
    assert [each["result"]["status"] for each in answer] == ["SUCCESS"] * count


def test_the_old_collection_is_removed_by_a_later_up_of_the_same_project(
    shop: Path, provision: Provision, raw: Raw
) -> None:
    rewrite(shop, "keep: 1s\n")
    load(raw, 30)
    answered(provision, "backfill", "run", "signals")
    time.sleep(1.1)
    toml = (shop / "provision.toml").read_text()
    (shop / "provision.toml").write_text(toml.replace('"shop"', '"other"'))
    assert "removed" not in provision("up").out
    (shop / "provision.toml").write_text(toml)
    assert raw.classes() == ["Signals_v1", "Signals_v2"]

    ran = provision("up")

    assert ran.code == 0, ran.err
    assert "removed Signals_v1: replaced by Signals_v2, kept until TIME UTC" in ran.out
    assert raw.classes() == ["Signals_v2"]
    assert provision("backfill", "run", "signals").code == 0


def test_a_revision_that_requires_it_finds_the_replacement_done(shop: Path, provision: Provision, raw: Raw) -> None:
    held = load(raw, 40)
    replaced = f"up:\n  - replace_collection: {{alias: Signals, class: {_V2}}}\ndown: auto\n"
    (shop / "weaviate" / "0002_signals_v2.yaml").write_text(f"requires: [backfill/signals]\n{replaced}")

    ran = provision("up")

    assert ran.code == 0, ran.err
    assert "backfill/signals is complete: 40 rows filled" in ran.out
    assert raw.aliases() == {"Signals": "Signals_v2"}
    assert unlike(held, content(raw, "Signals_v2")) == LEVEL
    assert provision("down", "--steps", "1", "--only", "weaviate", "--allow-destructive").code == 0
    assert raw.aliases() == {"Signals": "Signals_v1"}
    assert unlike(held, content(raw, "Signals")) == LEVEL


@pytest.mark.usefixtures("shop")
def test_a_second_run_finds_nothing_to_do(provision: Provision, raw: Raw) -> None:
    load(raw, 30)
    answered(provision, "backfill", "run", "signals")
    before = raw.everything()

    again = answered(provision, "backfill", "run", "signals")

    assert (again["state"], again["rows_done"], again["rows_total"]) == ("succeeded", 0, 0)
    assert raw.everything() == before


@pytest.mark.usefixtures("shop")
def test_an_empty_collection_is_replaced_too(provision: Provision, raw: Raw) -> None:
    assert answered(provision, "backfill", "run", "signals")["rows_done"] == 0
    assert raw.aliases() == {"Signals": "Signals_v2"}


def test_an_object_the_new_class_refuses_is_named_and_the_alias_stays(
    shop: Path, provision: Provision, raw: Raw
) -> None:
    rewrite(shop, class_=_V2.replace("{name: n, dataType: [int]}", "{name: n, dataType: [text]}"))
    raw.send("POST", "/objects", {"class": "Signals", "id": KEY, "properties": {"n": 5}, "vector": [1]})

    ran = provision("backfill", "run", "signals")

    assert ran.code == 5
    assert ran.err == (
        f"error[batch-failed]: 1 of 1 objects were refused by Signals_v2, {KEY}: invalid text property 'n' on class"
        " 'Signals_v2': not a string, but json.Number\n"
        "  where  backfills/signals.yaml\n"
        "  fix    correct the object, then `provision backfill resume signals`\n"
    )
    assert raw.aliases() == {"Signals": "Signals_v1"}
    assert provision("backfill", "run", "signals", "--skip-failed", "1").code == 5
    assert raw.aliases() == {"Signals": "Signals_v1"}
    raw.send("PATCH", f"/objects/Signals/{KEY}", {"class": "Signals", "properties": {"n": None, "t": "cured"}})
    assert provision("backfill", "resume", "signals").code == 0
    assert content(raw, "Signals_v2") == {KEY: ({"t": "cured"}, packed([1]))}


def test_a_switch_longer_than_the_pause_gives_writes_back(
    expected: Expected, shop: Path, provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(shop, "pause: 1s\n")
    load(raw, 30)
    monkeypatch.setattr(replacing, "QUIET_SECONDS", 1.5)

    ran = provision("backfill", "run", "signals")

    assert ran.code == 5
    expected(ran.err)
    raw.send("POST", "/objects", {"class": "Signals", "id": KEY, "properties": {"t": "y"}, "vector": [1.0] * 128})
    assert raw.aliases() == {"Signals": "Signals_v1"}
    monkeypatch.undo()
    monkeypatch.chdir(shop)
    assert provision("backfill", "resume", "signals", "-e", "test").code == 0
    assert KEY in content(raw, "Signals_v2")


def test_a_switch_that_waited_for_long_follows_the_source_anew(
    shop: Path, provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.exists()
    load(raw, 30)
    monkeypatch.setattr(steps, "STALE_MS", -10_000)
    advance, seen = LoggedRuns.advance, list[str]()

    def noted(self: LoggedRuns, name: str, part: Any, *more: Any) -> None:
        seen.append(part.cursor["do"])
        if seen.count("switch") == 2:
            monkeypatch.setattr(steps, "STALE_MS", 900_000)
        advance(self, name, part, *more)

    monkeypatch.setattr(LoggedRuns, "advance", noted)
    answered(provision, "backfill", "run", "signals")

    assert seen == ["copy", "follow", "switch", "follow", "switch", "done"]


def test_with_writers_stopped_no_times_are_needed(shop: Path, provision: Provision, raw: Raw) -> None:
    raw.wipe()
    raw.send("POST", "/schema", {"class": "Signals_v1", "vectorizer": "none", "properties": PROPERTIES})
    raw.send("POST", "/aliases", {"alias": "Signals", "class": "Signals_v1"})
    shutil.rmtree(shop / "weaviate")
    (shop / "weaviate").mkdir()
    rewrite(shop, "writers: stopped\n")
    path = shop / "backfills" / "signals.yaml"
    path.write_text(path.read_text().replace("requires: [weaviate/0001]\n", ""))
    held = load(raw, 300)

    assert answered(provision, "backfill", "run", "signals")["rows_done"] == 300

    assert unlike(held, content(raw, "Signals_v2")) == LEVEL
    assert raw.aliases() == {"Signals": "Signals_v2"}


PROPERTIES = [{"name": "t", "dataType": ["text"]}, {"name": "n", "dataType": ["int"]}]


def test_a_cancelled_run_begins_anew_after_the_new_collection_was_deleted(
    expected: Expected, shop: Path, provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.exists()
    held = load(raw, 60)

    def gone(*_: object) -> None:
        raise RuntimeError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(ReplaceSwitch, "run", gone)
        assert provision("backfill", "run", "signals").code == 5
    raw.send("DELETE", "/schema/Signals_v2")
    ran = provision("backfill", "resume", "signals")
    assert ran.code == 5
    expected(ran.err)

    assert provision("backfill", "cancel", "signals").code == 0
    answered(provision, "backfill", "run", "signals")

    assert unlike(held, content(raw, "Signals_v2")) == LEVEL


def test_an_alias_moved_by_somebody_else_ends_the_run(
    shop: Path, provision: Provision, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.exists()
    load(raw, 60)
    raw.send("POST", "/schema", {"class": "Elsewhere"})
    monkeypatch.setattr(steps, "MOST", 20)
    advance = LoggedRuns.advance

    def meddled(self: LoggedRuns, *arguments: Any) -> None:
        advance(self, *arguments)
        if arguments[1].cursor.get("after"):
            raw.send("PUT", "/aliases/Signals", {"class": "Elsewhere"})

    monkeypatch.setattr(LoggedRuns, "advance", meddled)
    ran = provision("backfill", "run", "signals")

    assert ran.code == 5
    assert ran.err.startswith("error[schema-changed]: Signals_v2, or the mark on what it replaces, is gone\n")
    assert raw.aliases() == {"Signals": "Elsewhere"}


BAD: dict[str, tuple[str, str]] = {
    "store: weaviate\nalias: Signals\n": (
        "document-invalid",
        "the file lacks class\n"
        "  where  backfills/signals.yaml:1:1\n"
        "  fix    add `class:`, a mapping, the new class as the vendor's JSON says it\n",
    ),
    _DOCUMENT.format(_V2.replace("vectorizer", "vectoriser")): (
        "document-invalid",
        "class has no key vectoriser\n  where  backfills/signals.yaml:3:28\n  fix    did you mean vectorizer?\n",
    ),
    _DOCUMENT.format(_V2) + "keep: long\n": (
        "document-invalid",
        "keep is long\n  where  backfills/signals.yaml:6:1\n  fix    write how long the old one is kept, such as 7d\n",
    ),
    _DOCUMENT.format(_V2.replace("Signals_v2", "signals")): (
        "document-invalid",
        "the collection signals begins with a small letter, the server would make it Signals\n"
        "  where  backfills/signals.yaml:3:9\n"
        "  fix    write Signals\n",
    ),
    _DOCUMENT.format(_V2).replace("alias: Signals", "alias: Nothing"): (
        "not-replaceable",
        "there is no alias Nothing: `create_alias` comes first\n"
        "  where  backfills/signals.yaml:2:1\n"
        "  fix    make the server as the file says, or write what it should be\n",
    ),
    _DOCUMENT.format(_V2.replace(", {name: n, dataType: [int]}", "")): (
        "not-replaceable",
        "Signals_v2 has no place for n of Signals_v1\n"
        "  where  backfills/signals.yaml:3:1\n"
        "  fix    add it to the class, or state `drop: [n]`\n",
    ),
    _DOCUMENT.format(_V2.replace("properties", TENANTED)): (
        "not-replaceable",
        "Signals_v1 has no tenants and Signals_v2 has them\n"
        "  where  backfills/signals.yaml:3:1\n"
        "  fix    state `multiTenancyConfig` as it is there: a copy cannot tell whose an object is\n",
    ),
    _DOCUMENT.format(_V2.replace("Signals_v2", "Taken")): (
        "not-replaceable",
        "collection Taken has no invertedIndexConfig.indexTimestamps, the file says true\n"
        "  where  backfills/signals.yaml:3:1\n"
        "  fix    give the new class a name of its own, or delete the collection\n",
    ),
}


@pytest.mark.parametrize("document", BAD)
def test_what_cannot_be_done_is_refused_before_anything_is_made(
    shop: Path, provision: Provision, raw: Raw, document: str
) -> None:
    raw.send("POST", "/schema", {"class": "Taken"})
    (shop / "backfills" / "signals.yaml").write_text(document)
    before = raw.everything()

    ran = provision("backfill", "run", "signals")

    code, text = BAD[document]
    assert ran.err == f"error[{code}]: {text}"
    assert ran.code == 2
    assert raw.everything() == before


def test_what_has_no_place_is_dropped_as_the_fix_says(shop: Path, provision: Provision, raw: Raw) -> None:
    """`not-replaceable`, by one of the two ways of its fix."""
    load(raw, 30)
    rewrite(shop, "", _V2.replace(", {name: n, dataType: [int]}", ""))
    ran = failed("not-replaceable", provision("backfill", "run", "signals"))

    [line] = re.findall(r"or state `(drop: .*)`", fix_of(ran))
    rewrite(shop, f"{line}\n", _V2.replace(", {name: n, dataType: [int]}", ""))
    assert provision("backfill", "run", "signals").code == 0
    assert {tuple(each["properties"]) for each in objects_of(raw, "Signals")} == {("t",)}


def test_what_is_dropped_is_said_and_left_behind(shop: Path, provision: Provision, raw: Raw) -> None:
    rewrite(shop, "drop: [n]\n", _V2.replace(", {name: n, dataType: [int]}", ""))
    load(raw, 30)

    ran = provision("backfill", "run", "signals")

    assert ran.code == 0
    assert "n of every object behind Signals is left behind" in ran.out + ran.err
    assert {tuple(each["properties"]) for each in objects_of(raw, "Signals")} == {("t",)}


@pytest.mark.usefixtures("shop")
def test_the_log_keeps_one_entry_a_part_and_refuses_a_version_twice(provision: Provision, raw: Raw) -> None:
    load(raw, 200)
    answered(provision, "backfill", "run", "signals")

    kept = [each["properties"] for each in objects_of(raw, "Provision_shop_weaviate_backfills")]
    assert sorted((each["n"], each["version"]) for each in kept if each["n"] == 0) == [(0, 0), (0, 1), (0, 2)]
    assert len([each for each in kept if each["n"] == 1]) == 1
    server = connect(StoreOptions("weaviate", "weaviate", "shop", Path(), Path(), {}), raw.url)
    entries, others = (RunEntries(Names(project, "weaviate"), lambda: server) for project in ("shop", "sh.op"))
    entry = RunLogEntry("run", 0, 0, {"state": "enqueued"})
    assert [entries.add(entry), entries.add(entry)] == [True, True]
    assert entries.add(RunLogEntry("run", 0, 0, {"state": "other"})) is False
    assert list(entries.newest("run")) == [entry]
    assert list(others.newest()) == []
    server.close()


def test_the_shipped_one_keeps_every_embedding(shop: Path, provision: Provision, raw: Raw) -> None:
    raw.wipe()
    (shop / "weaviate" / "0001_signals.yaml").unlink()
    for name, folder in (("0002_uncertainty_embeddings", "weaviate"), ("uncertainty_embedding_flat", "backfills")):
        text = (ROOT / folder / f"{name}.yaml").read_text()
        kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("requires:"))
        (shop / folder / f"{name}.yaml").write_text(kept)
    assert provision("up").code == 0
    raw.send("POST", "/schema/UncertaintyEmbeddingV1/tenants", [{"name": "acme"}])
    sent = [
        {
            "class": "UncertaintyEmbedding",
            "tenant": "acme",
            "id": f"00000000-0000-0000-0000-{number:012}",
            "vectors": {"uncertainty_vector": [number / 100, 0.5, 0.25]},
            "properties": {"embedding_id": f"e{number}", "symbol": "AAPL", "timestamp": "2026-03-02T09:00:00Z"},
        }
        for number in range(100)
    ]
    raw.send("POST", "/batch/objects", {"objects": sent})

    assert answered(provision, "backfill", "run", "uncertainty_embedding_flat")["rows_done"] == 100

    assert raw.aliases() == {"UncertaintyEmbedding": "UncertaintyEmbeddingV2"}
    made, before = (raw.get(f"/schema/UncertaintyEmbeddingV{number}") for number in (2, 1))
    index = made["vectorConfig"]["uncertainty_vector"]
    assert (index["vectorIndexType"], index["vectorIndexConfig"]["rq"]["enabled"]) == ("flat", True)
    assert sorted(map(str, made["properties"])) == sorted(map(str, before["properties"]))
    found = objects_of(raw, "UncertaintyEmbeddingV2", "acme")
    assert [each["properties"]["embedding_id"] for each in found] == [f"e{number}" for number in range(100)]
    near = '{Get{UncertaintyEmbedding(tenant:"acme",limit:2,nearVector:{vector:[0.42,0.5,0.25]}){embedding_id}}}'
    answer = raw.send("POST", "/graphql", {"query": near})["data"]["Get"]["UncertaintyEmbedding"]
    assert answer[0]["embedding_id"] == "e42"
