"""The ML platform alone, the probabilistic enhancement alone, and both: each environment that ships, up and down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis

from tests.doubles.arango import arango_double
from tests.servers.databases import Influx1, Postgres15, Redis7, Weaviate, embedded_url
from tests.system import six
from tests.system.sites import ALL_DOWN, REPEATABLES, Site

# Environment → the stores that it has; a clone of each is what a user gets who sets the variables of provision.toml.
ENVIRONMENTS = {
    "ml": {"postgres", "redis"},
    "ml with influx": {"postgres", "redis", "influx"},
    "probability": {"postgres", "clickhouse", "redis", "weaviate", "arango"},
    "production": {"postgres", "clickhouse", "redis", "influx", "weaviate", "arango"},
}


@pytest.fixture(params=ENVIRONMENTS)
def stores(request: pytest.FixtureRequest) -> set[str]:
    return ENVIRONMENTS[request.param]


@pytest.fixture
def site(stores: set[str], tmp_path: Path) -> Iterator[Site]:
    name = next(each for each, there in ENVIRONMENTS.items() if there is stores).split(" ", 1)[0]
    with ExitStack() as stack:
        postgres, cache = stack.enter_context(Postgres15()), stack.enter_context(Redis7())
        urls = {"ML_DATABASE_URL": postgres.url, "REDIS_URL": cache.url}
        if "clickhouse" in stores:
            urls["CLICKHOUSE_URL"] = stack.enter_context(embedded_url("clickhouse"))
        if "influx" in stores:
            urls["INFLUXDB_URL"] = stack.enter_context(Influx1()).url
        if "weaviate" in stores:
            urls["WEAVIATE_URL"] = stack.enter_context(Weaviate()).url
        if "arango" in stores:
            urls["ARANGO_URL"] = f"{stack.enter_context(arango_double())}/vfr"
        yield Site(six.copied(tmp_path), name, urls, off={})


def test_environment_installs_all_of_its_stores_goes_back_and_comes_again(site: Site, stores: set[str]) -> None:
    mine = {each for each in site.versioned() if each.split("/")[0] in stores}
    assert site.good("up").last.startswith(f"{len(mine)} applied, {len(REPEATABLES)} skipped in ")
    assert site.applied() - REPEATABLES == mine
    assert site.good("up").last == "nothing to do"
    site.good("status", "--check")
    site.good(*ALL_DOWN)
    assert site.applied() == set()
    site.good("up")
    assert site.applied() - REPEATABLES == mine


@pytest.mark.parametrize("stores", [ENVIRONMENTS["ml"]], ids=["ml"])
def test_store_that_was_off_is_installed_when_it_comes(site: Site) -> None:
    site.good("up")
    with embedded_url("clickhouse") as clickhouse:
        more = Site(site.folder, "both", {**site.variables, "CLICKHOUSE_URL": clickhouse}, off={})
        with (site.folder / "provision.toml").open("a", encoding="utf-8") as file:
            file.write('\n[environments.both]\npostgres.url = "${ML_DATABASE_URL}"\nredis.url = "${REDIS_URL}"\n')
            file.write('clickhouse.url = "${CLICKHOUSE_URL}"\ninflux = "off"\nweaviate = "off"\narango = "off"\n')
        more.good("up")
        assert {each for each in more.versioned() if each.startswith("clickhouse/")} <= more.applied()
        assert more.good("up").last == "nothing to do"


@pytest.mark.parametrize("stores", [ENVIRONMENTS["ml"]], ids=["ml"])
def test_keys_of_the_document_are_renamed_where_that_is_chosen(site: Site) -> None:
    with redis.Redis.from_url(site.variables["REDIS_URL"], decode_responses=True) as client:
        old = {"vfr:enhanced:AAPL:1823328": "{}", "vfr:classic:BRK.A:1823328": "{}", "vfr:ml:fallback:gpu": "{}"}
        for key, value in old.items():
            client.set(key, value, ex=900)
        site.good("up")
        assert client.exists(*old) == 3
        assert "redis/0007" not in site.good("status").out
        assert re.search(r"- redis/0007 +optional", site.good("status", "--all").out)
        chosen = Site(site.folder, "ml", {**site.variables, "PROVISION_OPTIONS": "seed_keys"}, off={})
        assert chosen.good("up").last.startswith("1 applied")
        assert client.exists(*old) == 0
        assert 0 < client.ttl("vfr:_shared:analysis:enhanced:AAPL:1823328") <= 900
        assert client.exists("vfr:_shared:analysis:classic:BRK.A:1823328", "vfr:_shared:ml:fallback:gpu") == 2
    # It is applied, and stays so without the option.
    assert site.good("up").last == "nothing to do"
    site.good("down", "--only", "redis", "--steps", "1", "--allow-destructive")
    assert "redis/0007" not in site.applied()


@pytest.mark.parametrize("stores", [ENVIRONMENTS["ml"]], ids=["ml"])
def test_option_that_no_store_has_is_refused(site: Site) -> None:
    wrong = Site(site.folder, "ml", {**site.variables, "PROVISION_OPTIONS": "seed_key"}, off={})
    found = wrong.run("up")
    assert (found.code, "error[no-such-option]: no store has an option 'seed_key'" in found.err) == (2, True)
    assert "seed_keys" in found.err
    with psycopg.connect(site.variables["ML_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT to_regclass('tenants')").fetchone() == (None,)
