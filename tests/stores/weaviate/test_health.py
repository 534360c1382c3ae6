"""What `doctor` says of a Weaviate server."""

from __future__ import annotations

import json
import re
from pathlib import Path

from provision.model import Finding, Severity, StoreOptions
from provision.stores.weaviate.setup.health import look
from tests.stores.weaviate.raw import Raw


def findings(raw: Raw, tmp_path: Path) -> list[Finding]:
    return list(look(StoreOptions("weaviate", "weaviate", "vfr", tmp_path, tmp_path), raw.url, home=False))


def test_server_in_order(raw: Raw, tmp_path: Path) -> None:
    raw.send("POST", "/schema", {"class": "Article"})

    assert [(each.rule, each.severity, each.message) for each in findings(raw, tmp_path)] == [
        ("nodes", Severity.FINE, "the node is healthy"),
        ("collections", Severity.FINE, "each of 1 collections has its index"),
        ("aliases", Severity.FINE, "every alias stands for a collection that is there"),
    ]


def test_remains_and_dangling_aliases_are_told(raw: Raw, tmp_path: Path) -> None:
    broken = {"vectorizer": {"none": {}}, "vectorIndexConfig": {"distance": "foo"}}
    raw.ask("POST", "/schema", {"class": "Baddist", "vectorConfig": {"v": broken}})
    raw.send("POST", "/schema", {"class": "Gone"})
    raw.send("POST", "/aliases", {"alias": "Left", "class": "Gone"})
    raw.send("DELETE", "/schema/Gone")

    assert findings(raw, tmp_path)[1:] == [
        Finding(
            "collections",
            Severity.ERROR,
            "weaviate",
            "the collection Baddist has no index: a refused creation left it",
            "`DELETE /v1/schema/Baddist`; it holds nothing",
        ),
        Finding(
            "aliases",
            Severity.WARNING,
            "weaviate",
            "the alias Left stands for Gone, which is gone: with auto-schema a write would make it again",
            '`DELETE /v1/aliases/Left`, or `PUT /v1/aliases/Left` with {"class": a collection that is there}',
        ),
    ]
    for each in findings(raw, tmp_path)[1:]:
        [method, place] = each.fix.split("`")[1].split(" /v1")
        raw.send(method, place)
    assert [each for each in findings(raw, tmp_path) if each.severity is not Severity.FINE] == []


def test_shard_that_takes_no_writes_is_opened_as_the_fix_says(raw: Raw, tmp_path: Path) -> None:
    raw.send("POST", "/schema", {"class": "Article"})
    [shard] = raw.send("GET", "/schema/Article/shards")
    raw.send("PUT", f"/schema/Article/shards/{shard['name']}", {"status": "READONLY"})
    [found] = [each for each in findings(raw, tmp_path) if each.severity is not Severity.FINE]
    assert (found.rule, found.severity) == ("shards", Severity.ERROR)
    assert found.message == (
        f"shard {shard['name']} of Article takes no writes: its disk was full, or somebody closed it"
    )

    [(method, place, body)] = re.findall(r"`(\w+) /v1(\S+)` with (.*)$", found.fix)
    raw.send(method, place, json.loads(body))
    assert [each for each in findings(raw, tmp_path) if each.severity is not Severity.FINE] == []
