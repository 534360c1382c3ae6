"""Backfills and data checks by the library."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from provision import (
    BackfillRun,
    BackfillStatus,
    CapabilityMissing,
    CheckSeverity,
    ConfigError,
    Interrupted,
    LeaseHeld,
    RefusedError,
    Stop,
)
from tests.library.shop import Elsewhere, Shop, until

MISSING = "select count(*) from orders where source is null"


def test_a_backfill_fills_tells_how_far_it_is_and_opens_the_gate(shop: Shop) -> None:
    shop.orders(300)
    after = shop.revision("pass", top='requires = ["backfill/source"]')
    project, heard = shop.open(), list[object]()
    assert [each.name for each in project.backfills()] == ["source"]
    assert project.backfill_status("source").state == "not_begun"
    status = project.backfill("source", on_event=heard.append)
    assert isinstance(status, BackfillStatus)
    assert status.run is not None
    assert (status.state, status.complete, status.run.rows_done, status.leader) == ("succeeded", True, 300, None)
    assert all(isinstance(each, BackfillRun) for each in heard)
    assert heard
    assert shop.rows(MISSING) == [(0,)]
    assert project.backfill_skipped("source") == {}
    assert [each.step.id for each in project.up().done] == [after]


def test_a_backfill_is_paused_changed_resumed_and_stopped_from_elsewhere(shop: Shop) -> None:
    shop.orders(900)
    project, stop = shop.open(), Stop()
    running = Elsewhere(lambda: project.backfill("source", rate=100.0, stop=stop))
    until(lambda: project.backfill_status("source").state == "running", "running")
    with pytest.raises(LeaseHeld):
        project.backfill("source")
    project.backfill_pause("source")
    until(lambda: project.backfill_status("source").state == "paused", "paused")
    assert project.backfill_tune("source", rate=150).run is not None
    assert project.backfill_resume("source").leader is not None
    until(lambda: project.backfill_status("source").state == "running", "running again")
    stop.request()
    error = running.result()
    assert isinstance(error, Interrupted)
    assert error.what == "stopped by the program that runs it"
    status = project.backfill_status("source")
    assert status.run is not None
    assert (status.state, status.run.error) == ("interrupted", "stopped by the program that runs it")
    with pytest.raises(RefusedError) as raised:
        project.backfill_resume("source")
    assert raised.value.code == "nothing-to-ask"
    with project.begin_backfill("source") as run:
        assert run.report().complete
    assert shop.rows(MISSING) == [(0,)]


def test_a_backfill_is_cancelled(shop: Shop) -> None:
    shop.orders(3000)
    project = shop.open()
    run = project.begin_backfill("source", rate=100.0)
    until(lambda: project.backfill_status("source").state == "running", "running")
    project.backfill_cancel("source")
    assert run.report().state == "cancelled"
    with pytest.raises(RefusedError) as raised:
        project.backfill_cancel("source")
    assert raised.value.code == "nothing-to-ask"


def test_a_listener_of_a_backfill_that_raises_ends_it_and_is_heard(shop: Shop) -> None:
    shop.orders(3000)
    project = shop.open()

    def listener(_event: object) -> None:
        raise ZeroDivisionError("the progress bar is broken")

    with pytest.raises(ZeroDivisionError):
        project.backfill("source", rate=300.0, on_event=listener)
    assert project.backfill_status("source").state == "interrupted"
    assert project.backfill("source").complete


@pytest.mark.parametrize("options", [{"workers": 0}, {"rate": 0}, {"skip_failed": -1}, {"rate": float("nan")}])
def test_numbers_of_a_backfill_that_make_no_sense_are_refused(shop: Shop, options: dict[str, float]) -> None:
    with pytest.raises(ConfigError) as raised:
        shop.open().backfill("source", **options)  # type: ignore[arg-type]
    assert raised.value.code == "usage"


def test_a_backfill_that_there_is_not_is_named(shop: Shop) -> None:
    shop.orders(1)
    for call in (shop.open().backfill, shop.open().backfill_status, shop.open().backfill_pause):
        with pytest.raises(ConfigError) as raised:
            call("sauce")
        assert (raised.value.code, raised.value.fix) == ("unknown-backfill", "did you mean source?")


def test_checks_find_bad_rows_and_are_kept(shop: Shop) -> None:
    shop.orders(10)
    project = shop.open()
    found = project.validate()
    assert [(each.check, str(each.status), each.bad) for each in found.results] == [
        ("rows", "pass", 0),
        ("source_is_there", "fail", 10),
    ]
    assert len(found.results[1].samples) == 5
    assert (found.fails(), found.fails(CheckSeverity.CRITICAL)) == (True, False)
    project.backfill("source")
    again = project.validate("orders", checks="source_*", samples=0)
    assert not again.fails()
    assert [each.result.bad for each in project.validation_history("source_is_there")] == [10, 0]
    kept = project.validation_history(suite="orders", since=datetime.now(UTC) - timedelta(hours=1), limit=1)
    assert [each.run.scope for each in kept] == ["only source_*"]
    assert project.validate(keep_results=False).results
    assert len(project.validation_history()) == 4


def test_checks_say_what_they_left_out_and_refuse_what_there_is_not(shop: Shop) -> None:
    shop.orders(1)
    project = shop.open()
    with pytest.raises(ConfigError) as raised:
        project.validate(since=datetime(2026, 1, 1))
    assert raised.value.code == "nothing-to-check"
    with pytest.raises(ConfigError) as raised:
        project.validate("ordres")
    assert raised.value.code == "unknown-suite"


def test_checks_since_last_read_what_came_after_the_last_run(shop: Shop) -> None:
    shop.orders(3)
    shop.execute("alter table orders add at timestamptz default now()")
    suite = shop.root / "checks/orders.yaml"
    suite.write_text(suite.read_text().replace("checks:", "time: at\nchecks:"))
    project = shop.open()

    first = project.validate(since="last")
    shop.execute("insert into orders values (9, null, clock_timestamp())")
    second = project.validate(since="last")

    assert [each.total for each in (first.results[1], second.results[1])] == [3, 1]
    assert first.notes[0] == "since last: no earlier run of all these suites is kept, so that all rows were read"
    assert second.run.scope == "since last"
    with pytest.raises(CapabilityMissing):
        project.validate(since="last", keep_results=False)
    with pytest.raises(ConfigError, match="since is yesterday"):
        project.validate(since="yesterday")  # type: ignore[arg-type]


def test_hooks_hear_of_checks_and_one_that_fails_is_a_note(shop: Shop) -> None:
    shop.orders(1)
    heard = shop.root / "heard.txt"
    toml = shop.root / "provision.toml"
    told = f'on_error = "{sys.executable} -c \'import sys; print(sys.argv[1], file=open(\\"heard.txt\\", \\"a\\"))\'"'
    hooks = f'[environments.test.hooks]\n{told}\non_start = "false"\n'
    toml.write_text(f"{toml.read_text()}\n{hooks}")

    found = shop.open().validate()

    assert found.fails()
    assert heard.read_text() == "on_error\n"
    assert [each for each in found.notes if "on_start" in each] != []
