"""InfluxDB 2 leaves out of a listing what a token may not see: nothing of that counts as gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from provision.errors import ConfigError, StatementFailed
from provision.kinds import build
from provision.model import Finding, Severity
from provision.stores.influx.setup import health
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.api import Api
from tests.stores.influx.conftest import Write, shown
from tests.stores.influx.moves import down, up
from tests.stores.influx.test_influx_version_2 import DATABASE, HOURLY, KEYS, RAW, ROLLUP

BUCKETS = ("read:buckets", "write:buckets")
GIVE = "give the token that right [not-allowed 2]"
TEXTS = (DATABASE, RAW + HOURLY, ROLLUP)
ONCE = "up:\n  - {}\ndown: {{irreversible: x}}\n"


@pytest.fixture
def opened(write: Write, api: Api) -> Iterator[Callable[..., InfluxStore]]:
    """Opens a store over documents with a token, `word` unless another is given."""
    made: list[InfluxStore] = []

    def one(*texts: str, token: str = "word") -> InfluxStore:
        store = build(write(*texts, **{**KEYS, "token": token}))
        assert isinstance(store, InfluxStore)
        store.open(api.url)
        made.append(store)
        return store

    yield one
    for store in made:
        store.close()


Opened = Callable[..., InfluxStore]


def applied(opened: Opened, *texts: str) -> None:
    store = opened(*texts)
    store.ledger.create()
    for number in range(1, len(texts) + 1):
        up(store, number)


def refused(move: Callable[[], None], api: Api) -> str:
    with pytest.raises(ConfigError) as caught:
        move()
    return shown(caught.value).replace(api.url, "URL")


def test_rollup_that_a_token_may_not_see_is_not_gone(opened: Opened, api: Api) -> None:
    applied(opened, *TEXTS)
    store = opened(*TEXTS, token=api.token(*BUCKETS))

    assert refused(lambda: down(store, 3), api) == (
        "this token has no right write:tasks in organisation vfr: a task that it may not see would count as deleted"
        f" | URL | {GIVE}"
    )
    assert list(api.tasks()) == ["app/by_hour"]


def test_tier_that_a_token_may_not_see_is_not_gone(opened: Opened, api: Api) -> None:
    applied(opened, DATABASE, RAW + HOURLY)
    drop = ONCE.format("drop_retention_policy: {database: app, name: hourly}")
    store = opened(DATABASE, RAW + HOURLY, drop, token=api.token("write:buckets", "read:tasks"))

    assert refused(lambda: up(store, 3), api) == (
        f"bucket app/hourly is there, and this token has no right to read it (read:buckets) | URL | {GIVE}"
    )
    assert "app/hourly" in api.buckets()


@pytest.mark.parametrize(
    ("first", "right", "said"),
    [
        (
            RAW,
            "write:buckets",
            "bucket app/autogen is there, and this token has no right to read it (read:buckets)",
        ),
        (
            RAW + "  - drop_retention_policy: {database: app, name: autogen}\n",
            "read:tasks",
            "this token has no right write:buckets in organisation vfr:"
            " buckets of app that it may not see would count as deleted",
        ),
    ],
)
def test_database_whose_buckets_a_token_may_not_see_is_not_gone(
    opened: Opened, api: Api, first: str, right: str, said: str
) -> None:
    texts = (f"up:\n{DATABASE}{first}down: {{irreversible: x}}\n", ONCE.format("drop_database: {name: app}"))
    applied(opened, texts[0])

    assert refused(lambda: up(opened(*texts, token=api.token(right)), 2), api) == f"{said} | URL | {GIVE}"
    assert "app/raw" in api.buckets()


def test_rollup_of_a_token_that_may_not_make_tasks_says_what_to_give(opened: Opened, api: Api) -> None:
    applied(opened, *TEXTS[:2])
    store = opened(*TEXTS, token=api.token(*BUCKETS))

    with pytest.raises(StatementFailed) as caught:
        up(store, 3)

    assert caught.value.what.endswith("failed to create task: unauthorized")
    assert caught.value.fix == "give the token that right"


def test_rollup_of_a_token_that_does_not_see_what_it_makes_is_not_made(opened: Opened, api: Api) -> None:
    applied(opened, *TEXTS[:2])
    store = opened(*TEXTS, token=api.token(*BUCKETS, "write:tasks"))

    assert refused(lambda: up(store, 3), api) == (
        f"this token has no right read:tasks in organisation vfr | URL | {GIVE}"
    )
    assert api.tasks() == {}


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ((*BUCKETS, "read:tasks"), "this token has no right write:tasks in organisation vfr"),
        (("read:buckets", "read:tasks", "write:tasks"), "this token has no right write:buckets in organisation vfr"),
    ],
)
def test_doctor_names_the_right_that_a_token_lacks(write: Write, api: Api, rights: tuple[str, ...], said: str) -> None:
    def looked(token: str) -> list[Finding]:
        found = health.look(write(**{**KEYS, "token": token}), api.url, home=False)
        return [each for each in found if each.rule == "privileges"]

    [found] = looked(api.token(*rights))
    assert (found.severity, found.message) == (Severity.ERROR, said)
    assert found.fix.startswith("`influx auth create --org vfr ")
    given = re.findall(r"--(read|write)-(\w+)", found.fix)
    [found] = looked(api.token(*(f"{how}:{what}" for how, what in given)))
    assert found.severity is Severity.FINE
