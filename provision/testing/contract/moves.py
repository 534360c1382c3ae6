"""Up, down, and up again, through the public flow."""

from __future__ import annotations

import pytest

from provision.core.plan import MoveRequest
from provision.errors import FailedError, RefusedError, StatementFailed
from provision.model import Began, EventKind, Revision, RunEvent, StateName
from provision.testing.contract.bench import Bench
from provision.testing.contract.case import NUMBERS
from provision.testing.contract.running import needs


def ids(bench: Bench) -> list[str]:
    return [f"{bench.case.name}/{number}" for number in NUMBERS]


def renamed(bench: Bench, slug: str, added: str = "") -> tuple[str, str]:
    """Give the files of the second revision another name, and maybe a comment; the old name of its file and the new."""
    found = sorted(bench.folder.glob("002_*"), key=lambda path: len(path.name))
    for path in found:
        sign = "--" if path.suffix == ".sql" else "#"
        text = path.read_text() + (f"{sign}{added}\n" if added else "")
        path.unlink()
        path.with_name(f"002_{slug}.{path.name.split('.', 1)[1]}").write_text(text)
    return found[0].name, min((path.name for path in bench.folder.glob("002_*")), key=len)


def test_up_empty_database_applies_all_in_order(bench: Bench) -> None:
    report = bench.up()

    assert ([done.step.id for done in report.done], report.failures, report.remaining) == (ids(bench), (), ())
    assert bench.case.seen() != []
    assert list(bench.standings()[bench.case.name].applied) == ids(bench)


def test_up_twice_does_nothing_twice(bench: Bench) -> None:
    bench.up()
    before = (bench.events(), bench.case.everything())

    report = bench.up()

    assert report.done == ()
    assert (bench.events(), bench.case.everything()) == before


def test_up_down_up_ends_in_the_same_state(bench: Bench) -> None:
    empty = bench.case.seen()
    bench.up()
    full = bench.case.seen()

    report = bench.down()

    assert [done.step.id for done in report.done] == ids(bench)[::-1]
    assert bench.case.seen() == empty == []
    bench.up()
    assert bench.case.seen() == full
    assert bench.net() == dict.fromkeys(ids(bench), 1)


def test_down_to_a_target_keeps_the_target(bench: Bench) -> None:
    bench.up()

    bench.down(MoveRequest(targets=(ids(bench)[0],)))

    assert bench.net() == {ids(bench)[0]: 1, ids(bench)[1]: 0, ids(bench)[2]: 0}


def test_up_refused_statement_reports_it_and_goes_on_after_correction(bench: Bench) -> None:
    bench.case.spoil(bench.folder)

    report = bench.up()

    first, second, third = ids(bench)
    assert [done.step.id for done in report.done] == [first]
    assert [step.id for step in report.remaining] == [second, third]
    failure = report.failures[0]
    assert (failure.step.id, failure.statement, isinstance(failure.error, StatementFailed)) == (second, 2, True)
    state = bench.standings()[bench.case.name].standings[second].state
    assert (state.name, state.open) == (StateName.FAILED, not bench.case.transactional)
    bench.case.write(bench.folder)
    assert [done.step.id for done in bench.up().done] == [second, third]
    assert bench.net() == dict.fromkeys(ids(bench), 1)


@needs("statements")
def test_up_another_file_of_the_same_number_is_refused_by_its_name(bench: Bench) -> None:
    bench.up()
    before = (bench.events(), bench.case.everything())
    was, _ = renamed(bench, "elsewhere")
    assert bench.up().done == ()  # a plain rename is no other revision
    _, now = renamed(bench, "other", " edited")

    with pytest.raises(RefusedError) as refused:
        bench.up()

    assert (refused.value.code, refused.value.what) == (
        "number-taken",
        f"another revision had the number of {ids(bench)[1]}: {was} was applied, here is {now}",
    )
    assert (bench.events(), bench.case.everything()) == before


@needs("statements")
def test_up_edited_file_of_a_ledger_without_file_names_is_said_to_be_edited(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(Revision, "file", "")
        bench.up()
    renamed(bench, "other", " edited")

    with pytest.raises(RefusedError) as refused:
        bench.up()

    assert refused.value.code == "revision-changed"


@needs("statements")
def test_up_refused_statement_keeps_what_was_done_before_it(bench: Bench) -> None:
    bench.up(MoveRequest(targets=(ids(bench)[0],)))
    one = bench.case.seen()
    bench.case.spoil(bench.folder)

    report = bench.up()

    assert bench.case.seen() != one
    error = report.failures[0].error
    assert isinstance(error, StatementFailed)
    assert "statement 1 is done, 1 was not sent" in error.where


def test_up_same_failure_twice_stays_failed_at_the_same_statement(bench: Bench) -> None:
    bench.case.spoil(bench.folder)
    first = bench.up().failures[0]

    second = bench.up().failures[0]

    assert (second.step, second.statement, str(second.error)) == (first.step, first.statement, str(first.error))
    assert [event.kind for event in bench.events()].count(EventKind.APPLIED) == 1


@needs("keeps_connection")
def test_up_connection_cut_in_mid_run_is_told_and_the_next_run_finishes(bench: Bench) -> None:
    first, second, third = ids(bench)

    def cut(happening: RunEvent) -> None:
        bench.told.append(happening)
        if isinstance(happening, Began) and happening.step.id == second:
            bench.case.cut()

    bench.hear = cut
    report = bench.up()

    assert [done.step.id for done in report.done] == [first]
    (failure,) = report.failures
    assert isinstance(failure.error, FailedError)
    assert failure.error.code == "server-lost"
    bench.hear = bench.told.append
    assert [done.step.id for done in bench.up().done] == [second, third]
    assert bench.net() == dict.fromkeys(ids(bench), 1)
