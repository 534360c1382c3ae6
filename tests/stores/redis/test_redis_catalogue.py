"""The catalogue of keys beside the seed's inventory, and an entry of every family written and read."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import redis

from provision.stores.redis.patterns import families_overlap
from tests.vfr.factories import redis as factory

ROOT = Path(__file__).parents[3]
INVENTORY = json.loads((ROOT / "tests/fixtures/inventory_redis.json").read_text(encoding="utf-8"))
PATTERNS = INVENTORY["patterns"]
FAMILIES = factory.families()
SHARED = sorted(name for name, family in FAMILIES.items() if family.tenant is None)
TENANTS = sorted(name for name, family in FAMILIES.items() if family.tenant)
# What a hash, a string and so on are on the wire.
WIRE = {"json": "string"}


def shape(pattern: str) -> str:
    return re.sub(r"\{\w+\}", "{}", pattern)


def head(value: Any) -> Any:
    """A list as it was before the second tenant wrote into it too."""
    return value[:5] if isinstance(value, list) else value


def test_inventory_has_every_pattern_stream_and_sample_of_the_seed() -> None:
    assert Counter(each["source"] for each in PATTERNS) == {
        "D1 MLCacheKeys": 7,
        "D1 MLEnhancedCacheService": 5,
        "D1 MLPerformanceCacheService": 1,
        "D1 MLRedisCacheSchema": 7,
        "D1 MLDatabaseService": 1,
        "D2 3.1": 7,
    }
    assert [each["stream"] for each in INVENTORY["streams"]] == list(factory.streams())
    assert [each["type"] for each in INVENTORY["samples"]] == ["hash"] * 4 + ["list"]


def test_inventory_and_catalogue_name_the_same_families() -> None:
    named = {name for each in PATTERNS for name in each["families"]}
    assert named == set(FAMILIES) == set(factory.VALUES)
    assert len(FAMILIES) == 23


@pytest.mark.parametrize("seed", PATTERNS, ids=lambda each: f"{each['source']}-{each['line']}")
def test_deviations_are_the_ones_listed_each_with_its_defect(seed: dict[str, Any]) -> None:
    families = [FAMILIES[name] for name in seed["families"]]
    types = {WIRE.get(each.type, each.type) for each in families}
    of_type = seed["ttl"] if isinstance(seed["ttl"], dict) else dict.fromkeys(seed["families"], seed["ttl"])
    deviates = {
        "pattern": any(shape(each.pattern) != shape(seed["pattern"]) for each in families),
        "type": seed["type"] is not None and types != {seed["type"]},
        "ttl": [each.ttl for each in families] != list(of_type.values()),
    }
    assert set(seed["deviations"]) == {aspect for aspect, differs in deviates.items() if differs}
    assert {each["defect"] for each in seed["deviations"].values()} <= {40, 58, 59, 60, 61, 62}


@pytest.mark.parametrize("sample", INVENTORY["samples"], ids=lambda each: each["family"])
def test_field_of_a_sample_has_its_place(sample: dict[str, Any]) -> None:
    family = FAMILIES[sample["family"]]
    assert set(sample["fields"].values()) <= {*family.fields, "key"}


def test_streams_have_the_limits_and_groups_listed() -> None:
    for each in INVENTORY["streams"]:
        body, listed = factory.streams()[each["stream"]], each["deviations"]
        assert (body["maxlen"], body["group"]) == (listed["maxlen"]["value"], listed["group"]["value"])
        assert {one["defect"] for one in listed.values()} == {60, 62}


def test_families_and_streams_share_no_key() -> None:
    patterns = [*(each.pattern for each in FAMILIES.values()), *factory.streams()]
    assert [pair for pair in combinations(patterns, 2) if families_overlap(*pair)] == []


def test_families_of_the_platform_are_where_no_tenant_can_be() -> None:
    assert all(FAMILIES[name].pattern.startswith("vfr:_shared:") for name in SHARED)
    assert all(FAMILIES[name].pattern.startswith("vfr:{tenant_id}:") for name in TENANTS)
    slug = re.search(r"slug ~ '(.+?)'", (ROOT / "alembic/versions/0001_tenants.py").read_text(encoding="utf-8"))
    assert slug is not None
    assert re.fullmatch(slug[1].strip("^$"), "acme")
    assert not re.fullmatch(slug[1].strip("^$"), "_shared")


def test_families_have_one_owner_and_end() -> None:
    assert all(family.owner and 30 <= family.ttl <= 86_400 for family in FAMILIES.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_key_belongs_to_its_family_alone(name: str) -> None:
    key = factory.key(name, "acme")
    accepts = [other for other, family in FAMILIES.items() if families_overlap(family.pattern, key)]
    assert accepts == [name]


@pytest.mark.parametrize("name", FAMILIES)
def test_entry_of_two_tenants_is_found_and_ends(raw: redis.Redis, name: str) -> None:
    family, keys = FAMILIES[name], {}
    for tenant in ("acme", "globex"):
        found = factory.read(raw, name, tenant)
        assert found is None or (family.tenant is None and tenant == "globex")
        keys[tenant] = factory.write(raw, name, tenant)
        assert head(factory.read(raw, name, tenant)) == factory.VALUES[name]
        assert raw.type(keys[tenant]).decode() == WIRE.get(family.type, family.type)
        assert family.ttl - 5 <= raw.ttl(keys[tenant]) <= family.ttl
    assert len(set(keys.values())) == raw.dbsize() == (2 if family.tenant else 1)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.fields])
def test_entry_has_the_fields_of_its_document(name: str) -> None:
    declared, value = FAMILIES[name].fields, factory.VALUES[name]
    if "feature_id" in declared:
        (text,) = value.values()
        assert set(json.loads(text)) == {"value", "confidence", "quality", "source", "timestamp"}
    elif name == "analysis_classic":
        assert set(value) == {field for field, text in declared.items() if "absent in a classic" not in text}
    else:
        assert set(value) == set(declared)
