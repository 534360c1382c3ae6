"""Every word that `validate` prints, and the forms that a result can be written in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provision.cli.render.check_forms import counting, github, junit, markdown
from provision.cli.render.paper import Paper, moment, print_document, print_form, short
from provision.cli.render.paper import as_json as as_document
from provision.errors import ConfigError
from provision.flows.validate import Validation
from provision.model.checks import MIN_ROWS, CheckSeverity, Result, Row, Status, StoredResult
from provision.text.counts import rows_of

_UNSAID = (Status.PASS, Status.EMPTY)
LATENCY = "latency"  # what was measured is told of those that pass too
FORMS = ("text", "json", "junit", "markdown", "github")
_SIGNS = {Status.PASS: "✓", Status.WARN: "!", Status.FAIL: "✗", Status.ERROR: "✗", Status.EMPTY: "∅"}
_STYLES = {Status.PASS: "", Status.WARN: "odd", Status.FAIL: "bad", Status.ERROR: "bad", Status.EMPTY: "dim"}
_REPORTS = (".html", ".json", ".xml", ".md")


def show(project: str, found: Validation, form: str, *, everything: bool) -> None:
    """Print what was found to stdout; notes go to stderr, but in text."""
    forms: Mapping[str, Callable[[Validation], str]] = {
        "json": as_json, "junit": junit, "markdown": markdown, "github": github
    }  # fmt: skip
    if form in forms:
        text = forms[form](found)
        if text:
            print_form(text)
        for note in found.notes:
            Paper(sys.stderr).write(note)
        return
    _Text(Paper(sys.stdout), found, everything=everything).write(project)


def known_report(path: Path) -> None:
    """Raises ConfigError (unknown-report) when no form has that ending."""
    if path.suffix.lower() not in _REPORTS:
        what = f"no report ends in {path.suffix or 'nothing'}"
        raise ConfigError("unknown-report", what, where=str(path), fix=f"end it in {', '.join(_REPORTS)}")


def write(path: Path, project: str, found: Validation, earlier: Sequence[StoredResult]) -> None:
    """Write the result to a file, in the form of its ending. Raises FailedError (report-lost)."""
    from provision.cli.render.check_page import page
    from provision.cli.render.html_page import written

    forms: Mapping[str, Callable[[], str]] = {
        ".html": lambda: page(project, found, earlier),
        ".json": lambda: as_json(found),
        ".xml": lambda: junit(found),
        ".md": lambda: markdown(found),
    }
    written(path, forms[path.suffix.lower()]())


def as_json(found: Validation) -> str:
    """One suite as an object, several as a list of them; docs/schemas/validate.json."""
    documents = [
        {
            "suite": suite.name,
            "environment": found.run.environment,
            "duration_ms": found.duration_ms,
            "results": [_result(each) | {"fails_run": found.fails_run(each)} for each in found.of(suite.name)],
        }
        for suite in found.suites
    ]
    return as_document(documents[0] if len(documents) == 1 else documents)


def _result(each: Result) -> dict[str, Any]:
    return {
        "check": each.check,
        "kind": each.kind,
        "store": each.store,
        "table": each.table,
        "severity": str(each.severity),
        "status": str(each.status),
        "bad": each.bad,
        "total": each.total,
        "samples": list(each.samples),
        "message": each.message,
        "duration_ms": each.duration_ms,
        "new": each.new,
        "owner": each.owner,
        "tags": list(each.tags),
    } | {
        # Of the kinds that measure something, and where the run before was asked for.
        name: dict(figures)
        for name, figures in (("figures", each.figures), ("before", each.before))
        if figures
    }


def history(project: str, environment: str, kept: Sequence[StoredResult], form: str) -> None:
    """Print what earlier runs found, oldest first; for each check the trend of its bad rows."""
    if form == "json":
        print_document([_stored(each) for each in kept])
        return
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {environment}", "head")
    if not kept:
        paper.write("no results are kept")
    for name, mine in _by_check(kept).items():
        last = mine[-1].result
        paper.write(f"  {' · '.join(filter(None, name))}  {trend([measured(each.result) for each in mine])}")
        for each in mine[-10:]:
            when = f"{each.run.at:%Y-%m-%d %H:%M} UTC"
            line = f"{when}  {_SIGNS[each.result.status]} {each.result.status:<5}  {counted(each.result)}"
            scope = f"  ({each.run.scope})" if each.run.scope else ""
            paper.write(paper.fitted(f"    {line}{scope}"), _STYLES[each.result.status])
        if len(mine) > 10:
            paper.write(f"    and {len(mine) - 10} before; last {last.status}", "dim")


def measured(result: Result) -> int:
    """What the trend of a check is about: its bad rows, or the rows of the table where it is about those."""
    return result.total if result.kind in (MIN_ROWS, "volume") else result.bad


def trend(values: Sequence[int]) -> str:
    """The values as a line of bars, at most forty."""
    kept, bars = values[-40:], "▁▂▃▄▅▆▇█"
    most = max(kept, default=0)
    return "".join(bars[0 if not most else round(each / most * (len(bars) - 1))] for each in kept)


def counted(result: Result) -> str:
    """`3 of 5,000,000 (0.00006 %)`."""
    if not result.bad or result.kind in (MIN_ROWS, "volume"):
        return rows_of(result.total)
    return f"{result.bad:,} of {result.total:,} ({percent(result.share)})"


def percent(share: float) -> str:
    """A share with two digits that say something."""
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.0f} %"


def sampled(row: Row) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in row.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping) and value.keys() == {"here", "there"}:
        return f"{value['here']} here, {value['there']} there"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _by_check(kept: Sequence[StoredResult]) -> dict[tuple[str, ...], list[StoredResult]]:
    found: dict[tuple[str, ...], list[StoredResult]] = {}
    for each in kept:
        key = (each.result.suite, each.result.store, each.result.table, each.result.check)
        found.setdefault(key, []).append(each)
    return found


def _stored(each: StoredResult) -> dict[str, Any]:
    fields = _result(each.result)
    for name in ("samples", "new", "owner", "tags"):  # what is not kept
        del fields[name]
    return {
        "run": each.run.id,
        "at": moment(each.run.at),
        "environment": each.run.environment,
        "scope": each.run.scope,
        "actor": each.run.actor,
        "suite": each.result.suite,
        **fields,
    }


class _Text:
    """The table for people: a line for each table, under it what was found."""

    def __init__(self, paper: Paper, found: Validation, *, everything: bool) -> None:
        self._paper, self._found, self._everything = paper, found, everything
        names = [each.check for each in found.results]
        self._width = max(map(len, names), default=0)

    def write(self, project: str) -> None:
        run = self._found.run
        self._paper.write(" · ".join(filter(None, (project, run.environment, run.scope))), "head")
        for suite in self._found.suites:
            self._paper.write(suite.name, "head")
            for rows, checks in _tables(self._found.of(suite.name)):
                self._table(rows, checks)
        for note in self._found.notes:
            self._paper.write(note, "dim")
        self._paper.write(self._end())

    def _table(self, rows: Result, checks: Sequence[Result]) -> None:
        counted = counting([rows, *checks])
        passed = sum(each.status is Status.PASS for each in counted)
        empty = all(each.status is Status.EMPTY for each in (rows, *checks))
        head = f"  {rows.store}  {rows.table}  {rows_of(rows.total)}  {rows.duration_ms} ms"
        if not rows.store:
            head = "  all tables"
        counts = "empty" if empty else f"{passed} of {len(counted)} passed" if checks else ""
        self._paper.write(f"{head}  {counts}".rstrip(), _STYLES[Status.EMPTY] if empty else "")
        for each in (rows, *checks):
            if self._everything or each.status not in _UNSAID or each.new or each.before or each.kind == LATENCY:
                self._check(each)

    def _check(self, each: Result) -> None:
        cells = [each.check.ljust(self._width), str(each.severity).ljust(8)]
        uncounted = each.status is Status.ERROR or each.kind in (MIN_ROWS, LATENCY)
        words = [] if uncounted else [counted(each)]
        words += [short(each.message)] if each.message else []
        words += ["new"] if each.new else []
        words += [f"owner {each.owner}"] if each.owner else []
        sign, style = _SIGNS[each.status], _STYLES[each.status]
        if each.status is Status.FAIL and not self._found.fails_run(each):
            sign, style = _SIGNS[Status.WARN], _STYLES[Status.WARN]
            words.append(below(self._found))
        line = f"    {sign} {'  '.join((*cells, '  '.join(words)))}".rstrip()
        self._paper.write(self._paper.fitted(line), style)
        for row in each.samples if self._everything or each.status is not Status.PASS else ():
            self._paper.write(self._paper.fitted(f"        {sampled(row)}"), "dim")

    def _end(self) -> str:
        results = counting(self._found.results) or self._found.results
        lesser = [each for each in results if each.status is Status.FAIL and not self._found.fails_run(each)]
        worst = max((each.severity for each in results if each.status is Status.FAIL), key=_rank, default=None)
        said = {
            "passed": _count(results, Status.PASS),
            "warned": _count(results, Status.WARN),
            f"failed (worst: {worst})": _count(results, Status.FAIL) - len(lesser),
            f"failed {below(self._found)}": len(lesser),
            "not made": _count(results, Status.ERROR),
            "empty": _count(results, Status.EMPTY),
        }
        parts = [f"{count} {word}" for word, count in said.items() if count]
        head = "1 check" if len(results) == 1 else f"{len(results)} checks"
        return f"{head}: {', '.join(parts)} in {self._found.duration_ms / 1000:.1f} s"


def below(found: Validation) -> str:
    """What is said beside a check that failed and does not fail the run."""
    return f"below --fail-on {found.fail_on}"


def _count(results: Sequence[Result], status: Status) -> int:
    return sum(each.status is status for each in results)


def _rank(severity: CheckSeverity) -> int:
    return severity.rank


def _tables(results: Sequence[Result]) -> Iterator[tuple[Result, list[Result]]]:
    """Each table's own result with those of its checks."""
    rows: Result | None = None
    checks: list[Result] = []
    for each in results:
        if each.kind == MIN_ROWS:
            if rows is not None:
                yield rows, checks
            rows, checks = each, []
        else:
            checks.append(each)
    if rows is not None:
        yield rows, checks


def hook_failed(text: str) -> None:
    """A line on standard error: what was asked for goes on."""
    Paper(sys.stderr).write(f"warning: {text}", "warn")
