"""A live server read back as documents, which make the same server again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from provision.stores.influx.migrate import parse
from provision.stores.influx.setup import live
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.conftest import Write
from tests.stores.influx.moves import up
from tests.stores.influx.raw import Raw

ROOT = Path(__file__).parents[3]
FOREIGN = (
    "CREATE CONTINUOUS QUERY foreign ON app RESAMPLE EVERY 10m FOR 2h BEGIN SELECT mean(v) AS v INTO app.raw.n FROM"
    " app.autogen.m WHERE host = 'a' GROUP BY time(1h), * END"
)


def test_import_says_what_was_made_and_leaves_ledgers_out(
    make: Callable[..., InfluxStore], write: Write, influx_1: str
) -> None:
    texts = [path.read_text() for path in sorted((ROOT / "influx").glob("*.yaml"))]
    written: list[dict[str, dict[str, Any]]] = []
    for operation in (each for text in texts for each in yaml.safe_load(text)["up"]):
        gone = operation["drop_rollup"]["name"] if "drop_rollup" in operation else None
        written = [each for each in written if gone is None or each.get("create_rollup", {}).get("name") != gone]
        written += [operation] if gone is None else []
    store = make(*(f"description: x\n{text.replace('description:', '#')}" for text in texts))
    for number in range(1, len(texts) + 1):
        up(store, number)

    *documents, _users = live.found(write(), influx_1)

    assert [each.message for each in documents] == ["database vfr_ml", "rollups of vfr_ml"]
    found = [{name: body} for each in documents for name, body in each.operations]
    assert [list(each) for each in found] == [list(each) for each in written]
    for mine, theirs in zip(found, written, strict=True):
        ((name, body),), ((_, wanted),) = mine.items(), theirs.items()
        # Left out where it is the server's own; in whole windows; a day is 24 hours.
        stated = {key: value for key, value in wanted.items() if key not in ("late", "shard_duration", "every")}
        assert {key: body[key] for key in stated} == stated, name


def test_import_applied_to_an_empty_server_makes_the_same(
    make: Callable[..., InfluxStore], write: Write, influx_1: str, raw: Raw
) -> None:
    for text in (
        "CREATE DATABASE app",
        "CREATE RETENTION POLICY raw ON app DURATION 30d REPLICATION 1 SHARD DURATION 3d DEFAULT",
        "ALTER RETENTION POLICY autogen ON app DURATION 90d SHARD DURATION 1d",
        "CREATE CONTINUOUS QUERY own ON app RESAMPLE FOR 3h BEGIN SELECT sum(v) / count(v) AS mean INTO app.raw.o FROM"
        " app.autogen.m GROUP BY time(1h), host fill(none) END",
        FOREIGN,
        "CREATE DATABASE bare",
        "DROP RETENTION POLICY autogen ON bare",
    ):
        raw.ask(text)
    before = (raw.databases(), raw.tiers("app"), raw.queries("app"), raw.tiers("bare"))
    *documents, _users = live.found(write(), influx_1)
    raw.wipe()

    store = make(
        *(
            yaml.safe_dump(
                {
                    "up": [{name: dict(body)} for name, body in each.operations],
                    "down": {"irreversible": each.irreversible} if each.irreversible else "auto",
                },
                sort_keys=False,
            )
            for each in documents
        )
    )
    for number in range(1, len(documents) + 1):
        up(store, number)

    assert [each.message for each in documents] == [
        "database app",
        "first tier of app",
        "rollups of app",
        "database bare",
        "first tier of bare",
    ]
    assert (["app", "bare"], raw.tiers("app"), raw.queries("app"), raw.tiers("bare")) == before
    assert documents[2].operations[0] == (
        "create_rollup",
        {
            "database": "app",
            "name": "own",
            "from": {"tier": "autogen", "measurement": "m"},
            "into": {"tier": "raw", "measurement": "o"},
            "every": "1h",
            "late": "2h",
            "fields": {"mean": "sum(v) / count(v)"},
            "group_by": ["host"],
        },
    )
    assert documents[2].operations[1] == (
        "influxql",
        {
            "statement": FOREIGN,
            "probe": {"query": "SHOW CONTINUOUS QUERIES", "contains": ["foreign", FOREIGN]},
            "down": 'DROP CONTINUOUS QUERY "foreign" ON "app"',
        },
    )


def test_parse_takes_only_what_a_rollup_makes_exactly() -> None:
    own = (
        'CREATE CONTINUOUS QUERY "a b" ON app BEGIN SELECT last(v) AS v INTO app.x."select" FROM app.y.m GROUP BY'
        " time(90m), * fill(none) END"
    )
    assert parse.rollup(own) is not None
    for before, after in (
        (" fill(none)", ""),
        (" fill(none)", " fill(0)"),
        ("last(v)", "median(v)"),
        ("last(v)", "last(v) * 2"),
        ("app.y.m", "other.y.m"),
        ("app.y.m", "app.y.m WHERE host = 'a'"),
        ("BEGIN", "RESAMPLE EVERY 10m BEGIN"),
        ("BEGIN", "RESAMPLE FOR 100m BEGIN"),
        ("time(90m)", "time(90m, 5m)"),
        (" END", ""),
    ):
        assert parse.rollup(own.replace(before, after)) is None, after


def test_import_names_users_and_subscriptions(write: Write, influx_1: str, raw: Raw) -> None:
    for text in (
        "CREATE DATABASE app",
        "CREATE USER reader WITH PASSWORD 'secret'",
        "CREATE SUBSCRIPTION mirror ON app.autogen DESTINATIONS ALL 'udp://127.0.0.1:9'",
    ):
        raw.ask(text)
    try:
        *_, others = live.found(write(), influx_1)
    finally:
        raw.ask("DROP SUBSCRIPTION mirror ON app.autogen")
        raw.ask("DROP USER reader")
    assert (others.operations, others.left_out) == (
        (),
        (
            "users reader, root: `SHOW GRANTS FOR …` shows what they may",
            "subscriptions mirror of app: `SHOW SUBSCRIPTIONS` shows where they send to",
        ),
    )
