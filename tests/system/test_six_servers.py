"""`up`, `down --all`, `up` of all six stores on servers of their own; ArangoDB is a contract double."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.doubles.arango import arango_double
from tests.servers.databases import WORD, Influx1, Influx2, Postgres15, Redis7, Weaviate, embedded_url
from tests.servers.rest import Keys
from tests.system.sites import Site
from tests.system.six import STORES
from tests.system.six_moves import Moves, moved, site_on


@pytest.fixture(scope="module", params=["influx 1", "influx 2"])
def stores(request: pytest.FixtureRequest) -> Iterator[dict[str, Keys]]:
    """The keys of an environment for every store, with that generation of InfluxDB."""
    with ExitStack() as stack:
        postgres, redis, weaviate = Postgres15(), Redis7(), Weaviate()
        for each in (postgres, redis, weaviate):
            stack.enter_context(each)
        found: dict[str, Keys] = {
            "postgres": {"url": postgres.url},
            "clickhouse": {"url": stack.enter_context(embedded_url("clickhouse"))},
            "redis": {"url": redis.url},
            "weaviate": {"url": weaviate.url, "grpc": weaviate.grpc},
            "arango": {"url": f"{stack.enter_context(arango_double())}/vfr"},
        }
        if request.param == "influx 1":
            found["influx"] = {"url": stack.enter_context(Influx1()).url}
        else:
            found["influx"] = {"url": stack.enter_context(Influx2()).url, "token": WORD, "org": "vfr"}
        yield found


@pytest.fixture(scope="module")
def site(stores: dict[str, Keys], tmp_path_factory: pytest.TempPathFactory) -> Site:
    return site_on(tmp_path_factory.mktemp("six"), "servers", stores)


@pytest.fixture(scope="module")
def moves(site: Site, stores: dict[str, Keys]) -> Moves:
    return moved(site, stores)


def test_up_after_down_makes_the_same_again(moves: Moves) -> None:
    assert moves.new_lines() == {}
    assert moves.again == moves.up


@pytest.mark.parametrize("store", STORES)
def test_down_takes_away_what_up_made(moves: Moves, store: str) -> None:
    assert len(moves.down[store].splitlines()) < len(moves.up[store].splitlines())


@pytest.mark.usefixtures("moves")
def test_next_up_has_nothing_to_do(site: Site) -> None:
    assert site.good("up").last == "nothing to do"


@pytest.mark.usefixtures("moves")
def test_every_shipped_revision_is_applied(site: Site) -> None:
    assert set(site.versioned()) <= site.applied()


def test_at_least_eight_requirements_cross_the_new_stores(site: Site) -> None:
    new = ("influx/", "weaviate/", "arango/")
    crossing = [
        (revision, other)
        for revision, others in site.revisions().items()
        for other in others
        if revision.startswith(new) and other.split("/")[0] != revision.split("/")[0]
    ]
    assert len(crossing) >= 8, crossing
