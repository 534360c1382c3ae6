"""`up`, `down`, and what they return, tell and raise."""

from __future__ import annotations

import pytest

from provision import (
    Began,
    ConfigError,
    Direction,
    Done,
    FailedError,
    Failure,
    Note,
    RefusedError,
    Report,
    StatementFailed,
)
from tests.library.shop import PASSWORD, Shop


def test_up_and_down_move_both_stores_and_tell_of_every_step(both: Shop) -> None:
    first = both.table()
    stream = both.stream("orders", requires=(first,))
    project, heard = both.open(), list[object]()

    report = project.up(on_event=heard.append)

    assert isinstance(report, Report)
    assert [each.step.id for each in report.done] == [first, stream]
    assert (report.failures, report.remaining, report.held) == ((), (), ())
    assert [(type(each), each.step.id) for each in heard if isinstance(each, Began | Done)] == [
        (Began, first),
        (Done, first),
        (Began, stream),
        (Done, stream),
    ]
    assert project.status().pending == ()
    assert project.status().applied == (first, stream)
    assert project.up() == Report()

    report = project.down(everything=True, allow_destructive=True)

    assert [(each.step.id, each.step.direction) for each in report.done] == [
        (stream, Direction.DOWN),
        (first, Direction.DOWN),
    ]
    assert both.tables() == []


def test_targets_steps_and_only_narrow_a_move(both: Shop) -> None:
    one, two, three = both.table(), both.table(), both.table()
    stream = both.stream("orders")
    project = both.open()
    assert [each.step.id for each in project.up(steps=1, only="postgres").done] == [one]
    assert [each.step.id for each in project.up(two, only=["postgres"]).done] == [two]
    assert [each.step.id for each in project.up(only="redis").done] == [stream]
    assert [each.step.id for each in project.up().done] == [three]
    assert [each.step.id for each in project.down(one, allow_destructive=True).done] == [three, two]
    assert [each.step.id for each in project.down(steps=1, allow_destructive=True, run_lock=False).done] != []


def test_a_plan_is_carried_out_as_it_is_or_not_at_all(shop: Shop) -> None:
    one = shop.table()
    project = shop.open()
    plan = project.plan()
    two = shop.table()
    with pytest.raises(RefusedError) as raised:
        shop.open().up(plan=plan)
    assert raised.value.code == "stale-plan"
    assert shop.tables() == []
    plan = project.plan(one)
    assert [step.id for step in plan.steps] == [one]
    assert [each.step.id for each in project.up(plan=plan).done] == [one]
    assert project.status().pending == (two,)


def test_a_loss_is_foreseen_and_refused_before_anything_is_sent(shop: Shop) -> None:
    shop.orders(3)
    drop = shop.revision('op.execute("drop table orders")')
    project = shop.open()
    plan = project.plan()
    assert list(project.losses(plan)) == [drop]
    assert all("orders" in " ".join(why) for why in project.losses(plan).values())
    with pytest.raises(RefusedError) as raised:
        project.up()
    assert (raised.value.code, raised.value.done) == ("destructive", ())
    assert shop.tables() == ["orders"]
    assert [each.step.id for each in project.up(allow_destructive=True).done] == [drop]


def test_a_statement_that_fails_says_where_and_what_was_done_before(shop: Shop) -> None:
    one = shop.table()
    bad = shop.revision(f'op.execute("select nothing from nowhere /* {PASSWORD} */")')
    last = shop.table()
    file = shop.root / "provision.toml"
    file.write_text(file.read_text().replace("postgres.url", f'postgres.token = "{PASSWORD}"\npostgres.url', 1))
    project, heard = shop.open(), list[object]()

    with pytest.raises(StatementFailed) as raised:
        project.up(on_event=heard.append)

    error = raised.value
    assert isinstance(error, FailedError)
    assert (error.code, error.exit_code, error.number) == ("statement-failed", 5, 1)
    assert (error.done, error.remaining) == ((one,), (bad, last))
    assert "nowhere" in error.what
    assert "0002_step.py" in error.where
    assert error.fix
    [failure] = [each for each in heard if isinstance(each, Failure)]
    assert failure.step.id == bad
    assert failure.error is error
    assert_untold(error)
    assert shop.open().status().flagged == {}
    assert shop.open().history(bad)[-1].event.kind == "failed"


def assert_untold(error: BaseException) -> None:
    """Nothing that comes with the error tells the password."""
    import traceback

    told: BaseException | None = error
    while told is not None:
        assert PASSWORD not in f"{told!r} {told} {vars(told)}"
        told = told.__cause__ or told.__context__
    assert PASSWORD not in "".join(traceback.format_exception_only(error))


@pytest.mark.parametrize("call", ["up", "down", "plan", "plan_down", "history"])
def test_a_number_that_makes_no_sense_is_refused(shop: Shop, call: str) -> None:
    with pytest.raises(ConfigError) as raised:
        getattr(shop.open(), call)(**{"limit" if call == "history" else "steps": 0})
    assert raised.value.code == "usage"


def test_an_option_that_there_is_not_is_a_mistake_of_the_caller(shop: Shop) -> None:
    project = shop.open()
    with pytest.raises(TypeError):
        project.up(allow_destrutive=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'dryrun'"):
        project.begin_up(dryrun=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'joyn'"):
        project.begin_backfill("source", joyn=True)  # type: ignore[call-arg]


def test_a_name_that_there_is_not_is_named(shop: Shop) -> None:
    with pytest.raises(ConfigError) as raised:
        shop.open().up(only="postgers")
    assert (raised.value.code, raised.value.fix) == ("unknown-store", "did you mean 'postgres'?")


def test_a_run_waits_for_a_lock_of_another_thread_and_says_so(shop: Shop) -> None:
    shop.table()
    notes: list[str] = []

    def heard(event: object) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    project = shop.open()
    assert project.up(on_event=heard).done
    assert notes == []
