"""Carries out steps of a store without transactional DDL: a boundary in the ledger before each statement."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from provision.core.plan import by_word
from provision.errors import Interrupted, LeaseLost, RefusedError, StatementFailed
from provision.model import Direction, Event, EventKind, State, StateName, Step
from provision.model.statements import Fate, Outcome, Statement
from provision.ports import Guarded, Joined, Journal, Statements


def run(statements: Statements, steps: Iterator[Step], journal: Journal) -> None:
    """Carry out each step as it is pulled. N statements cost N + 1 ledger entries. Raises StatementFailed."""
    if isinstance(statements, Guarded):
        statements.remember(journal.token)
    begun: Step | None = None
    for step in steps:
        begun = _carry_out(statements, step, journal, begun=step is begun)


def begin_at(statements: Statements, step: Step, state: State) -> int:
    """The statement an open attempt goes on with.

    Raises RefusedError (dirty) when the fate of the statement in flight cannot be proved, or when the file's earlier
    statements are not the ones that ran.
    """
    listed = statements.of(step)
    boundary = state.events[-1]
    number = boundary.statement or 1
    _same_texts(step, state, listed)
    if number > len(listed) or "done_to" in boundary.detail:
        return number  # the statement that failed was taken out of the file; or a person said what is done
    failed = state.name is StateName.FAILED
    if failed and not _is_text(listed[number - 1], boundary):
        return number  # the server refused it, and it was corrected since
    fate = statements.probe(listed[number - 1], boundary)
    if fate.outcome is Outcome.DONE:
        return number + 1  # even after an error: a driver that sends again can be refused by its own first success
    if fate.outcome is Outcome.NOT_DONE or failed:
        return number
    if fate.outcome is Outcome.RUNNING:
        raise RefusedError(
            "still-running",
            f"{step.revision.title}: the server still works on statement {number}",
            where=f"{step.revision.path}: {fate.reason}",
            fix="run again when it has ended",
        )
    raise dirty(step, number, len(listed), listed[number - 1].summary, fate)


def _is_text(statement: Statement, boundary: Event) -> bool:
    """Whether the statement is the one of the boundary, which keeps no secret that is written into it."""
    from provision.text.credentials import hidden  # of what is begun or failed alone

    return hidden(statement.text) == hidden(str(boundary.detail.get("text")))


def dirty(
    step: Step, number: int, total: int | None, summary: str, fate: Fate, *, counted: bool = True
) -> RefusedError:
    """The refusal to go on after a statement whose fate is open; not `counted`: which one it is, is open too."""
    at = f"in statement {number}{f' of {total}' if total else ''}" if counted else "half-way"
    return RefusedError(
        "dirty",
        f"{step.revision.title} stopped {at}, and what became of it is not certain",
        where=f"{step.revision.path}: {' '.join(summary.split())}; {fate.reason}",
        fix=_looked(step.id, number) if counted else _to_count(step.id),
    )


def _to_count(name: str) -> str:
    return (
        f"look at the database; `provision resolve {name} --done-to N`, N being the last statement that took effect"
        f" (those that only read do not count), or finish it by hand and `provision resolve {name} --applied`; then run"
        " the same command again"
    )


def _edited(step: Step, state: State) -> str:
    done = (state.events[-1].statement or 1) - 1
    if state.name is not StateName.FAILED or not done:
        return by_word(step.id)  # what became of the last statement is open
    return f"`provision resolve {step.id} --done-to {done}` (the edit changes nothing that ran), {by_word(step.id)}"


def _looked(name: str, number: int) -> str:
    not_done = f"--done-to {number - 1}" if number > 1 else "--pending"
    return (
        f"look at the database; has statement {number} taken effect, `provision resolve {name} --done-to {number}`,"
        f" else `provision resolve {name} {not_done}`; then run the same command again"
    )


def _same_texts(step: Step, state: State, listed: Sequence[Statement]) -> None:
    for boundary in state.events:
        number = boundary.statement or 1
        last = boundary is state.events[-1]
        retried = last and (state.name is StateName.FAILED or "done_to" in boundary.detail)
        same = number <= len(listed) and _is_text(listed[number - 1], boundary)
        if not same and not retried:
            raise RefusedError(
                "changed-half-way",
                f"{step.revision.title} was edited after its statement {number} had been sent",
                where=f"{step.revision.path}: statement {number}, sent {boundary.at:%Y-%m-%d %H:%M} UTC",
                fix=f"restore the statements that ran and edit only what follows, or settle it: {_edited(step, state)}",
            )


def _carry_out(statements: Statements, step: Step, journal: Journal, *, begun: bool) -> Step | None:
    """Returns the step whose start was written down with the end of this one; `begun`: this one's was."""
    listed = statements.of(step)
    began = time.monotonic()
    first = journal.begin_at(step) or 1
    end = EventKind.APPLIED if step.direction is Direction.UP else EventKind.REVERTED
    if first > len(listed):
        statements.record(journal.event(step, end), None)
        return None
    if not begun:
        statements.record(_boundary(journal, step, first, listed), listed[first - 1])
    for number in range(first, len(listed) + 1):
        _check(statements, step, number, journal)
        statement, mark = listed[number - 1], journal.mark(step, number)
        _guard(statements, step, number, listed, journal)
        upcoming = listed[number] if number < len(listed) else None
        try:
            if upcoming is None and isinstance(statements, Joined):
                statements.send(statement, mark)
                journal.check_lease()
                return _end(statements, journal.event(step, end, duration_ms=_since(began)), journal)
            if upcoming is None:
                event = journal.event(step, end, duration_ms=_since(began))
            else:
                event = _boundary(journal, step, number + 1, listed)
            statements.advance(statement, mark, event, upcoming, journal.check_lease)
        except StatementFailed as error:
            raise _failed(statements, step, number, listed, journal, error) from error
    return None


def _check(statements: Statements, step: Step, number: int, journal: Journal) -> None:
    try:
        journal.check()
    except (Interrupted, LeaseLost) as stop:
        # The boundary before it says that it begins; without this, a later run could not tell that it never did.
        journal.check_lease()
        statements.record(journal.event(step, EventKind.FAILED, statement=number, error=stop.what), None)
        raise


def _guard(statements: Statements, step: Step, number: int, listed: Sequence[Statement], journal: Journal) -> None:
    """Stop a statement that loses data and was not allowed. Raises RefusedError (destructive)."""
    if not isinstance(statements, Guarded) or journal.may_lose(step):
        return
    loses = statements.loses(listed[number - 1])
    if loses is None:
        return
    error = RefusedError(
        "destructive",
        f"{step.revision.title} would lose data: {loses}",
        where=_place(step, number, listed),
        fix="if that is meant, run the same command again with --allow-destructive: it goes on with this statement",
    )
    journal.check_lease()
    statements.record(journal.event(step, EventKind.FAILED, statement=number, error=str(error)), None)
    raise error


def _end(statements: Joined, end: Event, journal: Journal) -> Step | None:
    """Write the end of a step, together with the start of the next one where that can begin at once."""
    following = journal.follow()
    if following is None:
        statements.record(end, None)
        return None
    listed = statements.of(following)
    statements.record_both(end, _boundary(journal, following, 1, listed), listed[0])
    return following


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _boundary(journal: Journal, step: Step, number: int, listed: Sequence[Statement]) -> Event:
    kind = EventKind.STARTED if number == 1 else EventKind.AT
    return journal.event(step, kind, statement=number, text=listed[number - 1].text)


def _failed(
    statements: Statements,
    step: Step,
    number: int,
    listed: Sequence[Statement],
    journal: Journal,
    error: StatementFailed,
) -> StatementFailed:
    from provision.text.credentials import hidden

    what = hidden(error.what, listed[number - 1].text)
    if error.certain:  # else the boundary before it stays the last word, and the next run looks
        journal.check_lease()
        statements.record(journal.event(step, EventKind.FAILED, statement=number, error=what), None)
    return StatementFailed(
        what,
        number=number,
        statement=listed[number - 1].text,
        where=_place(step, number, listed),
        fix=error.fix or "correct the statement and run the same command again: it goes on with this statement",
    )


def _place(step: Step, number: int, listed: Sequence[Statement]) -> str:
    """Where a step stopped, and what of it is done."""
    done = {1: "nothing of it was done", 2: "statement 1 is done"}.get(number, f"statements 1 to {number - 1} are done")
    rest = len(listed) - number
    todo = f", {rest} {'was' if rest == 1 else 'were'} not sent" if rest else ""
    return f"{step.revision.path}: statement {number} of {len(listed)} ({listed[number - 1].summary}); {done}{todo}"
