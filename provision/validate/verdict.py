"""What a count comes to: pass, warn or fail. Nothing that read no rows passes silently."""

from __future__ import annotations

from collections.abc import Sequence

from provision.model.checks import MIN_ROWS, ROWS, Check, CheckSeverity, Result, Row, Status, Suite, Table, Tally

NO_ROWS = "no rows to read"


def status(check: Check, tally: Tally, table: Table) -> tuple[Status, str]:
    """The status of a check, with its message."""
    if check.fail_if is not None and check.fail_if.exceeded(tally.bad, tally.total):
        return Status.FAIL, tally.message
    if check.warn_if is not None and check.warn_if.exceeded(tally.bad, tally.total):
        return Status.WARN, tally.message
    if not tally.total and table.min_rows != 0:
        return Status.WARN, tally.message or NO_ROWS
    return Status.PASS, tally.message


def result(suite: Suite, table: Table, check: Check, tally: Tally, samples: Sequence[Row] = ()) -> Result:
    found, message = status(check, tally, table)
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
    )


def enough_rows(suite: Suite, table: Table, tally: Tally) -> Result:
    """Whether a table holds as many rows as its suite wants: fewer than `min_rows` fail; without it none warn."""
    short = tally.total < (1 if table.min_rows is None else table.min_rows)
    message = NO_ROWS if not tally.total else f"{table.min_rows} rows are wanted" if short else ""
    found = Status.PASS if not short else Status.WARN if table.min_rows is None else Status.FAIL
    severity = CheckSeverity.MEDIUM if table.min_rows is None else CheckSeverity.HIGH
    return Result(
        suite.name,
        ROWS,
        MIN_ROWS,
        table.store,
        table.name,
        severity,
        found,
        bad=int(short),
        total=tally.total,
        message=message if short else "",
        duration_ms=tally.duration_ms,
        place=table.place,
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


def reaches(results: Sequence[Result], level: CheckSeverity) -> bool:
    """Whether a check failed that matters at least `level`, or one could not be made."""
    return any(
        each.status is Status.ERROR or (each.status is Status.FAIL and each.severity.rank >= level.rank)
        for each in results
    )
