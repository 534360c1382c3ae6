"""A backfill through a network: batches as large as the target allows, two round trips each, nobody waits for those."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.project import append
from tests.servers.command_line import Provision
from tests.servers.distance import Distance
from tests.silent.proxy import unix

Database = psycopg.Connection[tuple[object, ...]]
ROWS = 20_000


def through(url: str, seconds: float) -> Distance:
    """A network in front of a server that listens on a socket of the file system."""
    asked = parse_qs(urlsplit(url).query)
    port = asked.get("port", ["5432"])[0]
    return Distance(unix(f"{unquote(asked['host'][0])}/.s.PGSQL.{port}"), seconds)


def far(url: str, distance: Distance) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"postgresql://{user}127.0.0.1:{distance.port}{parts.path}?sslmode=disable"


@pytest.mark.parametrize("order", ["key: n", "order: physical"])
def test_a_batch_takes_two_round_trips_and_does_not_collapse(
    shop: Path, url: str, provision: Provision, database: Database, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    project.sow(url, ROWS)
    append(shop, f"{order}\n")
    with through(url, 0.03) as distance:
        monkeypatch.setenv("SHOP_POSTGRES", far(url, distance))
        ran = provision("backfill", "run", "source")

    assert (ran.code, ran.err) == (0, "")
    batches, trips = re.findall(r"; (\d+) batch(?:es)? of ([\d.]+) round trips;", ran.out)[0]
    assert int(batches) < 150, "one of 140 rows each, at least"
    assert float(trips) <= 2.5, "the first batch of a part asks for the part, too"
    assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)


def test_who_wants_a_row_of_a_batch_waits_for_no_round_trip(shop: Path, url: str, database: Database) -> None:
    project.sow(url, 600)
    append(shop, "key: n\n")
    every, waits = list(range(1, 600, 20)), list[float]()
    with through(url, 0.25) as distance:
        started = project.process(shop, "backfill", "run", "source", SHOP_POSTGRES=far(url, distance))
        while started.poll() is None:
            began = time.monotonic()
            database.execute("update orders set note = note where n = any(%s)", [every])
            waits.append(time.monotonic() - began)
        code, _, err = project.ended(started)

    assert (code, err) == (0, "")
    assert max(waits) < 0.25, "less than one round trip"
