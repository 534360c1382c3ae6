"""The most rows a second: of the document, of the command line, of `--set` while the run goes on."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.project import append, beside
from tests.servers.command_line import Provision

Database = psycopg.Connection[tuple[object, ...]]


def rate(database: Database, seconds: float = 2.5) -> float:
    """Rows a second that the log counts meanwhile."""
    began, before = time.monotonic(), project.rows_done(database)
    time.sleep(seconds)
    return (project.rows_done(database) - before) / (time.monotonic() - began)


@pytest.fixture(autouse=True)
def _sown(shop: Path, url: str) -> None:
    assert shop.exists()
    project.sow(url, 40_000)


@pytest.mark.parametrize("workers", [1, 8])
def test_rate_of_the_document_is_kept_whatever_the_workers(
    shop: Path, provision: Provision, database: Database, workers: int
) -> None:
    append(shop, "rate: 1000\n")
    with beside(shop, "--workers", workers):
        project.until(lambda: project.rows_done(database) > 1000)  # a second's rows may come at once
        found = rate(database)
        provision("backfill", "resume", "source", "--set", "rate=0")

    assert 350 < found < 1300


def test_rate_of_the_command_line_goes_before_that_of_the_document(
    shop: Path, provision: Provision, database: Database
) -> None:
    append(shop, "rate: 100000\n")
    with beside(shop, "--rate", 800):
        project.until(lambda: project.rows_done(database) > 800)
        found = rate(database)
        provision("backfill", "resume", "source", "--set", "rate=0")

    assert 250 < found < 1100


def test_rate_that_is_set_is_obeyed_while_it_runs_and_by_the_next_run_without_one(
    shop: Path, provision: Provision, database: Database
) -> None:
    with beside(shop, "--rate", 500):
        project.until(lambda: project.rows_done(database) > 500)
        assert provision("backfill", "resume", "source", "--set", "rate=2000").code == 0
        time.sleep(1.0)
        faster = rate(database)
        assert provision("backfill", "resume", "source", "--set", "rate=400").code == 0
        time.sleep(1.0)
        slower = rate(database)
        provision("backfill", "pause", "source")
        project.until(lambda: project.standing(provision)["state"] == "paused")
        provision("backfill", "resume", "source", "--set", "rate=0")

    assert 900 < faster < 2600
    assert 150 < slower < 700


def test_rate_of_the_command_line_goes_before_one_that_was_set_earlier_and_after_one_that_is_set_later(
    shop: Path, provision: Provision, database: Database
) -> None:
    first = project.process(shop, "backfill", "run", "source", "--rate", 500)
    project.until(lambda: project.rows_done(database) > 100)
    provision("backfill", "resume", "source", "--set", "rate=100")
    first.kill()
    first.communicate()

    with beside(shop, "--rate", 2000):
        before = project.rows_done(database)
        project.until(lambda: project.rows_done(database) > before + 2000)
        own = rate(database)
        provision("backfill", "resume", "source", "--set", "target=50ms")
        time.sleep(0.5)
        still = rate(database)
        provision("backfill", "resume", "source", "--set", "rate=0")

    assert 700 < own < 2600
    assert 700 < still < 2600


@pytest.mark.parametrize("wrong", ["0", "-1", "nan", "inf", "fast"])
def test_rate_that_is_none_is_refused(provision: Provision, wrong: str) -> None:
    assert provision("backfill", "run", "source", "--rate", wrong).code == 2
    assert provision("backfill", "resume", "source", "--set", f"rate={'-1' if wrong == '0' else wrong}").code == 2


def test_who_joins_keeps_to_the_rate_of_who_leads(shop: Path, provision: Provision, database: Database) -> None:
    with beside(shop, "--rate", 800):
        project.until(lambda: project.rows_done(database) > 800)
        joined = project.process(shop, "backfill", "run", "source", "--join")
        time.sleep(5)  # until both know of each other
        found = rate(database)
        provision("backfill", "resume", "source", "--set", "rate=0")
        assert project.ended(joined)[0] == 0

    assert 200 < found < 1200
