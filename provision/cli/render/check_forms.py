"""Results of checks for other programs: JUnit, Markdown, GitHub annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from xml.etree import ElementTree

from provision.cli.render.paper import as_json
from provision.cli.render.problems import annotation
from provision.errors import ProvisionError
from provision.flows.validate import Validation
from provision.model.checks import MIN_ROWS, Result, Status
from provision.text.visible import visible, visible_lines


def junit(found: Validation) -> str:
    """A test suite for each suite, a test case for each check.

    What does not fail the run passes, with its words as output; what had nothing to judge was skipped.
    """
    root = ElementTree.Element("testsuites", name="provision validate", time=f"{found.duration_ms / 1000:.3f}")
    for suite in found.suites:
        results = found.of(suite.name)
        names = [_CASES.get(_Sort.of(each, found), "") for each in results]
        element = ElementTree.SubElement(
            root,
            "testsuite",
            name=visible(suite.name),
            tests=str(len(results)),
            failures=str(names.count("failure")),
            errors=str(names.count("error")),
            skipped=str(names.count("skipped")),
            timestamp=f"{found.run.at:%Y-%m-%dT%H:%M:%S}",
        )
        for each in results:
            _case(element, each, _Sort.of(each, found))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


class _Sort(StrEnum):
    """What a result comes to for the run, by the one rule of its exit code."""

    PASSED = "passed"
    REMARK = "remark"  # it warned, or failed and matters less than --fail-on
    FAILED = "failed"
    NOT_MADE = "not made"
    EMPTY = "empty"

    @classmethod
    def of(cls, each: Result, found: Validation) -> _Sort:
        if found.fails_run(each):
            return cls.NOT_MADE if each.status is Status.ERROR else cls.FAILED
        return {Status.PASS: cls.PASSED, Status.EMPTY: cls.EMPTY}.get(each.status, cls.REMARK)


_CASES = {_Sort.FAILED: "failure", _Sort.NOT_MADE: "error", _Sort.REMARK: "system-out", _Sort.EMPTY: "skipped"}
_LEVELS = {_Sort.REMARK: "warning", _Sort.FAILED: "error", _Sort.NOT_MADE: "error", _Sort.EMPTY: "notice"}


def _case(suite: ElementTree.Element, each: Result, sort: _Sort) -> None:
    place = ".".join(filter(None, (each.suite, each.store, each.table)))
    seconds = f"{each.duration_ms / 1000:.3f}"
    case = ElementTree.SubElement(suite, "testcase", classname=visible(place), name=visible(each.check), time=seconds)
    if sort in _CASES:
        element = ElementTree.SubElement(case, _CASES[sort])
        element.text = visible_lines("\n".join(_words(each)))
        if sort is not _Sort.REMARK:
            element.set("message", visible(_head(each)))
        if sort in (_Sort.FAILED, _Sort.NOT_MADE):
            element.set("type", str(each.severity))


def counting(results: Sequence[Result]) -> list[Result]:
    """The checks that a person counts: that a table was read is one of them only where it was not as it should be."""
    return [each for each in results if each.kind != MIN_ROWS or each.status is not Status.PASS]


def markdown(found: Validation) -> str:
    """A table of what was found for each suite, first samples below it."""
    lines = []
    for suite in found.suites:
        results = found.of(suite.name)
        counted = counting(results)
        passed = sum(each.status is Status.PASS for each in counted)
        lines += [
            f"## {visible(suite.name)} · {found.run.environment}",
            "",
            f"{passed} of {len(counted)} checks passed.",
            "",
        ]
        odd = [each for each in results if each.status is not Status.PASS and _said(each)]
        if odd:
            lines += [
                "| status | severity | table | check | bad | of | |",
                "| --- | --- | --- | --- | --: | --: | --- |",
            ]
            lines += [_row(each, found) for each in odd]
            lines.append("")
        for each in odd:
            if each.samples:
                fence = "\n".join(as_json(row, None) for row in each.samples)
                lines += [f"Samples of `{each.check}`:", "", "```json", fence, "```", ""]
    return "\n".join(lines).rstrip()


def _said(each: Result) -> bool:
    """Of a table without rows only the table itself is told: its checks would say the same once more."""
    return each.status is not Status.EMPTY or each.kind == MIN_ROWS


def _row(each: Result, found: Validation) -> str:
    lesser = each.status is Status.FAIL and not found.fails_run(each)
    words = (*each.message.splitlines(), "(new)" if each.new else "", f"(below {found.fail_on})" if lesser else "")
    message = " ".join(filter(None, words))
    name = f"{each.store}.{each.table}" if each.store else "all"
    cells = (each.status, each.severity, name, f"`{each.check}`", f"{each.bad:,}", f"{each.total:,}", message)
    return f"| {' | '.join(visible(str(cell)).replace('|', chr(92) + '|') for cell in cells)} |"


def github(found: Validation) -> str:
    """An annotation for each check that did not pass, at its place in the suite."""
    return "\n".join(
        annotation(
            ProvisionError(each.check, _head(each), where=each.place, fix="\n".join(_words(each)[1:])),
            _LEVELS[_Sort.of(each, found)],
        )
        for each in found.results
        if each.status is not Status.PASS and _said(each)
    )


def _head(each: Result) -> str:
    place = f"{each.store} {each.table}: " if each.store else ""
    return f"{place}{each.bad:,} of {each.total:,} rows" + (f", {each.message}" if each.message else "")


def _words(each: Result) -> list[str]:
    return [_head(each), *_samples(each)]


def _samples(each: Result) -> Iterator[str]:
    yield from (as_json(row, None) for row in each.samples)
