"""All six stores in containers: `provision up`, `down --all`, `up`; what has no image here is named.

Run by `make test-containers`. PROVISION_TEST_IMAGE_<NAME> names another image, such as one of local_images.sh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.containers.boxes import BOXES, Running
from tests.containers.conftest import outside
from tests.containers.engine import Absent
from tests.system.sites import Site
from tests.system.six_moves import Moves, moved, site_on

KEPT = ("POSTGRES", "CLICKHOUSE", "REDIS", "WEAVIATE", "ARANGO")


@pytest.fixture(scope="module", params=["INFLUX1", "INFLUX2"])
def six(request: pytest.FixtureRequest, box: Callable[[str], Running]) -> Iterator[dict[str, Running]]:
    """Every store of the project with that generation of InfluxDB, in a container where there is an image."""
    with ExitStack() as others:
        found: dict[str, Running] = {}
        for name in (request.param, *KEPT):
            try:
                found[BOXES[name].store] = box(name)
            except Absent as absent:
                if name == "INFLUX2":
                    pytest.skip(f"not run: {name}: {absent}")
                found[BOXES[name].store] = others.enter_context(outside(BOXES[name]))
        if not any(each.container for each in found.values()):
            pytest.skip(f"not run: {', '.join(BOXES)}: none has an image here")
        yield found


@pytest.fixture(scope="module")
def site(six: dict[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A copy of this project whose environment `containers` names them."""
    return site_on(tmp_path_factory.mktemp("project"), "containers", {store: each.keys for store, each in six.items()})


@pytest.fixture(scope="module")
def moves(site: Site, six: dict[str, Running]) -> Moves:
    return moved(site, {store: each.keys for store, each in six.items()})


def test_up_after_down_makes_the_same_again(moves: Moves) -> None:
    assert moves.new_lines() == {}
    assert moves.again == moves.up


@pytest.mark.usefixtures("moves")
def test_third_up_has_nothing_to_do(site: Site) -> None:
    assert site.good("up").last == "nothing to do"


@pytest.mark.usefixtures("moves")
def test_status_knows_every_shipped_revision(site: Site) -> None:
    assert set(site.versioned()) <= site.applied()


@pytest.mark.parametrize("name", BOXES)
def test_store_was_moved_in_its_container(
    name: str,
    six: dict[str, Running],
    box: Callable[[str], Running],
    moves: Moves,
) -> None:
    """Raw requests, not our own code, show that `up` made things in the container and `down` took them away."""
    found = six[BOXES[name].store]
    try:
        mine = box(name)
    except Absent as absent:
        pytest.skip(f"not run: {name}: {absent}")
    if mine is not found:
        pytest.skip(f"{name} is not of this round")
    assert len(moves.up[found.store].splitlines()) > len(moves.down[found.store].splitlines())
