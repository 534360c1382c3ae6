"""What a count comes to: pass, warn, fail or empty. Nothing that read no rows passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provision.model.checks import MIN_ROWS, ROWS, Check, CheckSeverity, Result, Row, Status, Suite, Table, Tally
from provision.validate.columns import share_message

NO_ROWS = "no rows to read"


def status(check: Check, tally: Tally) -> tuple[Status, str]:
    """The status of a check, with its message."""
    if check.fail_if is not None and check.fail_if.exceeded(tally.bad, tally.total):
        return Status.FAIL, tally.message
    if check.warn_if is not None and check.warn_if.exceeded(tally.bad, tally.total):
        return Status.WARN, tally.message
    if not tally.total or not tally.judged:
        return Status.EMPTY, tally.message or NO_ROWS
    return Status.WARN if tally.partial else Status.PASS, tally.message


def result(suite: Suite, table: Table, check: Check, tally: Tally, samples: Sequence[Row] = ()) -> Result:
    found, message = status(check, replace(tally, message=tally.message or share_message(check, tally)))
    return Result(
        suite=suite.name,
        check=check.name,
        kind=check.kind,
        store=table.store,
        table=table.name,
        severity=check.severity,
        status=found,
        bad=tally.bad,
        total=tally.total,
        samples=tuple(samples),
        message="; ".join(filter(None, (check.description if found is Status.FAIL else "", message))),
        duration_ms=tally.duration_ms,
        place=check.place,
        owner=check.owner,
        tags=check.tags,
        figures=tally.figures,
    )


def failed(suite: Suite, table: Table, check: Check, why: str) -> Result:
    """The result of a check that could not be made."""
    return Result(
        suite.name,
        check.name,
        check.kind,
        table.store,
        table.name,
        check.severity,
        Status.ERROR,
        message=why,
        place=check.place,
        owner=check.owner,
        tags=check.tags,
    )


def enough_rows(suite: Suite, table: Table, tally: Tally) -> Result:
    """Whether a table holds as many rows as its suite wants: fewer than `min_rows` fail, none are *empty*."""
    short = tally.total < (table.min_rows or 0)
    found, message = status(Check(ROWS, MIN_ROWS, {}), replace(tally, bad=int(short)))
    if short:
        message = f"{f'{tally.total:,} rows' if tally.total else NO_ROWS}, {table.min_rows:,} at least are wanted"
    return Result(
        suite.name,
        ROWS,
        MIN_ROWS,
        table.store,
        table.name,
        CheckSeverity.HIGH if short else CheckSeverity.MEDIUM,
        found,
        bad=int(short),
        total=tally.total,
        message=message,
        duration_ms=tally.duration_ms,
        place=table.place,
        owner=table.owner,
        tags=table.tags,
    )


def nothing_read(suite: Suite, results: Sequence[Result]) -> Result | None:
    """The failure of a suite none of whose tables held a row, unless each of them may be empty."""
    counted = [each for each in results if each.kind == MIN_ROWS]
    may_be_empty = all(table.min_rows == 0 for table in suite.tables)
    if not counted or may_be_empty or any(each.total for each in counted):
        return None
    message = "the suite read no rows at all"
    return Result(
        suite.name, ROWS, MIN_ROWS, "", "", CheckSeverity.HIGH, Status.FAIL, bad=1, message=message, place=suite.place
    )


def fails_run(result: Result, level: CheckSeverity) -> bool:
    """Whether a result ends the run with 1: a check that failed and matters at least `level`, or was not made.

    The one rule: exit code, JUnit, GitHub, Markdown, text and page all ask here.
    """
    return result.status is Status.ERROR or (result.status is Status.FAIL and result.severity.rank >= level.rank)
