"""Events on the five streams: appended, read by groups, acknowledged, and taken over from a consumer that died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import redis
import redis.asyncio as aioredis

from tests.data_path.conftest import AWAY, Result, Site
from vfr_data.catalogue import STREAMS
from vfr_data.errors import BadInput
from vfr_data.events import Events, EventsUnavailable, Read

ALERTS, GROUP = "uncertainty_alerts", "alert-dispatcher"
FIELDS = {"symbol": "AAPL", "value": 0.9}


def run(site: Site, work: Callable[[Events], Awaitable[Result]], made: bool = True, url: str | None = None) -> Result:
    async def whole() -> Result:
        client = aioredis.Redis.from_url(url or site.redis)
        try:
            events = Events(client, lambda: site.now)
            if made:
                await events.make_groups()
            return await work(events)
        finally:
            await client.aclose()

    return asyncio.run(whole())


def test_every_group_of_a_stream_gets_every_event_once(site: Site) -> None:
    async def work(events: Events) -> list[Read]:
        await events.make_groups()  # again: what is there stays
        key = await events.append(ALERTS, "acme", FIELDS)
        found = [await events.read(ALERTS, GROUP, "one"), await events.read(ALERTS, "audit-writer", "one")]
        assert [each.events[0].id for each in found] == [key, key]
        return [*found, await events.read(ALERTS, GROUP, "two")]

    first, second, none = run(site, work)
    [event] = first.events
    assert (event.tenant_id, event.at) == ("acme", int(site.now.timestamp() * 1000))
    assert event.fields == {"symbol": "AAPL", "value": "0.9"}
    assert (second, none) == (first, Read(()))


def test_every_stream_takes_an_event_with_its_fields(site: Site, keys: redis.Redis) -> None:
    async def work(events: Events) -> None:
        for name, each in STREAMS.items():
            await events.append(name, "acme", dict.fromkeys(each.fields, "0.5"))

    run(site, work)
    assert {each.key: keys.xlen(each.key) for each in STREAMS.values()} == {each.key: 1 for each in STREAMS.values()}
    groups = {each.key: {one["name"].decode() for one in keys.xinfo_groups(each.key)} for each in STREAMS.values()}
    assert groups == {each.key: {*each.groups} for each in STREAMS.values()}


def test_what_a_dead_consumer_left_is_taken_over_once(site: Site) -> None:
    async def work(events: Events) -> list[Read]:
        for _ in range(3):
            await events.append(ALERTS, "acme", FIELDS)
        left = await events.read(ALERTS, GROUP, "dead", count=2)
        early = await events.claim(ALERTS, GROUP, "alive", idle=60)
        await asyncio.sleep(0.02)
        taken = await events.claim(ALERTS, GROUP, "alive", idle=0.02)
        again = await events.claim(ALERTS, GROUP, "third", idle=60)
        assert await events.ack(ALERTS, GROUP, taken.events) == 2
        assert await events.ack(ALERTS, GROUP, taken.events) == 0
        return [left, early, taken, again, await events.claim(ALERTS, GROUP, "third", idle=0)]

    left, early, taken, again, after = run(site, work)
    assert (taken, len(taken.events)) == (left, 2)
    assert early == again == after == Read(())


def test_an_entry_that_the_length_has_cut_off_is_pending_no_more(site: Site, keys: redis.Redis) -> None:
    async def work(events: Events) -> Read:
        await events.append(ALERTS, "acme", FIELDS)
        await events.append(ALERTS, "acme", FIELDS)
        await events.read(ALERTS, GROUP, "dead")
        keys.xtrim(STREAMS[ALERTS].key, maxlen=1, approximate=False)
        return await events.claim(ALERTS, GROUP, "alive", idle=0)

    assert len(run(site, work).events) == 1
    assert keys.xpending(STREAMS[ALERTS].key, GROUP)["pending"] == 1


def test_a_stream_keeps_about_its_length(site: Site, keys: redis.Redis) -> None:
    stream = STREAMS[ALERTS]
    with keys.pipeline(transaction=False) as pipeline:
        for _ in range(stream.maxlen + 2000):
            pipeline.xadd(stream.key, {"tenant_id": "acme"})
        pipeline.execute()
    run(site, lambda events: events.append(ALERTS, "acme", FIELDS))
    assert stream.maxlen <= keys.xlen(stream.key) < stream.maxlen + 200


def test_an_entry_that_names_no_tenant_is_told_and_stays_pending(site: Site, keys: redis.Redis) -> None:
    async def work(events: Events) -> Read:
        keys.xadd(STREAMS[ALERTS].key, {"symbol": "AAPL", "at": "soon"})
        await events.append(ALERTS, "acme", FIELDS)
        return await events.read(ALERTS, GROUP, "one")

    found = run(site, work)
    assert (len(found.events), len(found.broken)) == (1, 1)
    assert keys.xpending(STREAMS[ALERTS].key, GROUP)["pending"] == 2


def test_unknown_streams_groups_and_fields_are_refused(site: Site) -> None:
    for work, message in (
        (lambda events: events.append("alerts", "acme", FIELDS), "there is no stream 'alerts'"),
        (lambda events: events.append(ALERTS, "", FIELDS), "has a tenant_id and symbol, value"),
        (lambda events: events.append(ALERTS, "acme", {"symbol": "AAPL"}), "has a tenant_id and symbol, value"),
        (lambda events: events.read(ALERTS, "others", "one"), "has no group 'others'; give one of alert-dispatcher, "),
    ):
        with pytest.raises(BadInput, match=message):
            run(site, work)


def test_a_missing_group_and_a_redis_that_is_away_are_errors_that_say_what_to_do(site: Site) -> None:
    with pytest.raises(EventsUnavailable, match=r"NOGROUP .*; run make_groups\(\)"):
        run(site, lambda events: events.read(ALERTS, GROUP, "one"), made=False)
    with pytest.raises(EventsUnavailable, match="look at the server and try again"):
        run(site, lambda events: events.append(ALERTS, "acme", FIELDS), made=False, url=AWAY)
