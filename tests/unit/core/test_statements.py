"""One boundary before each statement, and where an open attempt goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provision.core import statements
from provision.core.ledger import fold
from provision.errors import Interrupted, LeaseLost, ProvisionError, StatementFailed
from provision.model import Direction, Event, EventKind, State, Step
from provision.model.statements import Fate, Mark, Outcome, Statement
from tests.unit.core.builders import AT, chain, told

STEP = Step(replace(chain("a", 1)[0], slug="ttl"))
TEXTS = ("one", "two", "three")


class Tape:
    """Statements and journal in one: remembers what was sent and written."""

    token = 3

    def __init__(self, *texts: str, fate: Fate | None = None) -> None:
        self.listed = [Statement(text, f"does {text}") for text in texts]
        self.fate = fate or Fate(Outcome.CANNOT_TELL, "no trace")
        self.tape: list[str] = []
        self.written: list[Event] = []
        self.first: int | None = None
        self.refuse = ""
        self.stop: dict[int, Exception] = {}
        self.lost: LeaseLost | None = None
        self.checks = 0

    def of(self, _step: Step) -> list[Statement]:
        return self.listed

    def advance(
        self, statement: Statement, mark: Mark, event: Event, _upcoming: Statement | None, _check: Callable[[], None]
    ) -> None:
        if statement.text == self.refuse:
            raise StatementFailed("no room", number=mark.statement or 0, statement=statement.text)
        self.tape.append(f"send {statement.text} as {mark.statement}")
        self.record(event, None)

    def record(self, event: Event, _upcoming: Statement | None) -> None:
        self.written.append(event)
        self.tape.append(f"{event.kind} {event.statement or ''}".strip())

    def probe(self, _statement: Statement, _event: Event) -> Fate:
        return self.fate

    def event(self, step: Step, kind: EventKind, **fields: Any) -> Event:
        number = fields.pop("statement", None)
        duration = fields.pop("duration_ms", 0)
        if step.direction is Direction.DOWN:
            fields["direction"] = "down"
        n = len(self.written) + 1
        return Event("vfr", step.id, kind, "c", 3, n, AT, "ci@runner", duration, number, fields)

    def mark(self, step: Step, statement: int | None = None) -> Mark:
        return Mark("vfr", 3, step.id, statement)

    def check(self) -> None:
        self.checks += 1
        if self.checks in self.stop:
            raise self.stop[self.checks]

    def check_lease(self) -> None:
        if self.lost is not None:
            raise self.lost

    def begin_at(self, _step: Step) -> int | None:
        return self.first

    def note(self, _text: str, *, live: bool = False) -> None:
        """Nobody listens."""

    def run(self, step: Step = STEP) -> list[str]:
        statements.run(self, iter([step]), self)
        return self.tape

    def failing(self) -> ProvisionError:
        with pytest.raises(ProvisionError) as caught:
            self.run()
        return caught.value


def begun(*texts: str, failed: bool = False) -> State:
    """The state after boundaries with these texts, the last one in flight or refused."""
    tape = Tape()
    for number, text in enumerate(texts, 1):
        kind = EventKind.STARTED if number == 1 else EventKind.AT
        tape.record(tape.event(STEP, kind, statement=number, text=text), None)
    if failed:
        tape.record(tape.event(STEP, EventKind.FAILED, statement=len(texts), error="no"), None)
    return fold(tape.written)[STEP.id]


def test_run_n_statements_cost_n_plus_one_entries() -> None:
    assert Tape(*TEXTS).run() == [
        "started 1",
        "send one as 1",
        "at 2",
        "send two as 2",
        "at 3",
        "send three as 3",
        "applied",
    ]


def test_run_down_ends_reverted() -> None:
    tape = Tape("one")

    assert tape.run(Step(STEP.revision, Direction.DOWN))[-1] == "reverted"
    assert {event.direction for event in tape.written} == {Direction.DOWN}


def test_run_boundaries_hold_the_text_that_begins() -> None:
    tape = Tape(*TEXTS)
    tape.run()

    assert [event.detail.get("text") for event in tape.written] == ["one", "two", "three", None]


def test_run_resumed_goes_on_with_the_statement_named() -> None:
    tape = Tape(*TEXTS)
    tape.first = 3

    assert tape.run() == ["at 3", "send three as 3", "applied"]


def test_run_resumed_after_the_last_statement_only_records() -> None:
    tape = Tape(*TEXTS)
    tape.first = 4

    assert tape.run() == ["applied"]


def test_run_refused_statement_is_recorded_and_told() -> None:
    tape = Tape(*TEXTS)
    tape.refuse = "two"

    error = tape.failing()

    assert tape.tape == ["started 1", "send one as 1", "at 2", "failed 2"]
    assert dict(tape.written[-1].detail) == {"error": "no room"}
    assert told(error) == [
        (
            "statement-failed",
            "no room",
            "a/1.sql: statement 2 of 3 (does two); statement 1 is done, 1 was not sent",
            "correct the statement and run the same command again: it goes on with this statement",
        )
    ]
    assert isinstance(error, StatementFailed)
    assert (error.number, error.statement) == (2, "two")


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("one", "statement 1 of 3 (does one); nothing of it was done, 2 were not sent"),
        ("three", "statement 3 of 3 (does three); statements 1 to 2 are done"),
    ],
)
def test_run_refused_statement_says_what_was_done(refused: str, said: str) -> None:
    tape = Tape(*TEXTS)
    tape.refuse = refused

    assert told(tape.failing())[0][2] == f"a/1.sql: {said}"


def test_run_interrupted_records_that_the_statement_was_never_sent() -> None:
    tape = Tape(*TEXTS)
    tape.stop = {2: Interrupted("SIGINT")}

    assert told(tape.failing())[0][:2] == ("interrupted", "stopped by SIGINT")

    assert tape.tape == ["started 1", "send one as 1", "at 2", "failed 2"]
    state = fold(tape.written)[STEP.id]
    assert statements.begin_at(tape, STEP, state) == 2  # not dirty, though no probe can tell


def test_run_lost_lease_writes_nothing_more() -> None:
    tape = Tape(*TEXTS)
    tape.stop = {2: LeaseLost("anna")}
    tape.lost = LeaseLost("anna")

    assert told(tape.failing())[0][0] == "lease-lost"

    assert tape.tape == ["started 1", "send one as 1", "at 2"]


def test_run_lease_asked_back_writes_down_what_was_not_sent() -> None:
    tape = Tape(*TEXTS)
    tape.stop = {2: LeaseLost(asked_by="anna")}

    assert told(tape.failing())[0][0] == "lease-lost"

    assert tape.tape[-1].startswith("failed 2")


@pytest.mark.parametrize(("outcome", "expected"), [(Outcome.DONE, 3), (Outcome.NOT_DONE, 2)])
def test_begin_at_probed_statement_is_passed_or_sent_again(outcome: Outcome, expected: int) -> None:
    assert statements.begin_at(Tape(*TEXTS, fate=Fate(outcome)), STEP, begun("one", "two")) == expected


@pytest.mark.parametrize("outcome", [Outcome.CANNOT_TELL, Outcome.DIFFERENT])
def test_begin_at_open_fate_is_dirty(outcome: Outcome) -> None:
    with pytest.raises(ProvisionError) as caught:
        statements.begin_at(Tape(*TEXTS, fate=Fate(outcome, "b is a view")), STEP, begun("one", "two"))

    assert told(caught.value) == [
        (
            "dirty",
            "a/1_ttl stopped in statement 2 of 3, and what became of it is not certain",
            "a/1.sql: does two; b is a view",
            "look at the database; has statement 2 taken effect, `provision resolve a/1 --done-to 2`,"
            " else `provision resolve a/1 --done-to 1`; then run the same command again",
        )
    ]


def test_begin_at_statement_still_running_is_refused() -> None:
    with pytest.raises(ProvisionError) as caught:
        statements.begin_at(Tape(*TEXTS, fate=Fate(Outcome.RUNNING, "for 3 s")), STEP, begun("one"))

    assert told(caught.value) == [
        (
            "still-running",
            "a/1_ttl: the server still works on statement 1",
            "a/1.sql: for 3 s",
            "run again when it has ended",
        )
    ]


@pytest.mark.parametrize(
    ("outcome", "expected"), [(Outcome.DONE, 2), (Outcome.NOT_DONE, 1), (Outcome.CANNOT_TELL, 1), (Outcome.RUNNING, 1)]
)
def test_begin_at_failed_first_statement_is_sent_again_unless_done(outcome: Outcome, expected: int) -> None:
    assert statements.begin_at(Tape(*TEXTS, fate=Fate(outcome)), STEP, begun("one", failed=True)) == expected


def test_begin_at_failed_statement_that_was_corrected_is_not_probed() -> None:
    tape = Tape("one", "corrected", "three", fate=Fate(Outcome.DONE))

    assert statements.begin_at(tape, STEP, begun("one", "two", failed=True)) == 2


def test_begin_at_failed_statement_that_was_taken_out_ends_the_step() -> None:
    assert statements.begin_at(Tape("one"), STEP, begun("one", "two", failed=True)) == 2


@pytest.mark.parametrize(
    ("now", "failed", "number"),
    [
        (("edited", "two", "three"), False, 1),
        (("edited", "two", "three"), True, 1),
        (("one", "edited", "three"), False, 2),
        (("one",), False, 2),
        ((), True, 1),
    ],
)
def test_begin_at_edited_before_the_statement_in_flight_is_refused(
    now: tuple[str, ...], failed: bool, number: int
) -> None:
    with pytest.raises(ProvisionError) as caught:
        statements.begin_at(Tape(*now, fate=Fate(Outcome.DONE)), STEP, begun("one", "two", failed=failed))

    done = "`provision resolve a/1 --done-to 1` (the edit changes nothing that ran), " if failed else ""
    assert told(caught.value) == [
        (
            "changed-half-way",
            f"a/1_ttl was edited after its statement {number} had been sent",
            f"a/1.sql: statement {number}, sent 2026-03-02 09:14 UTC",
            f"restore the statements that ran and edit only what follows, or settle it: {done}"
            "`provision resolve a/1 --applied` (nothing more of it is sent) or"
            " `provision resolve a/1 --pending` (it begins again with statement 1)",
        )
    ]
