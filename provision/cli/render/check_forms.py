"""Results of checks for other programs: JUnit, Markdown, GitHub annotations."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from provision.cli.render.paper import as_json
from provision.cli.render.problems import annotation
from provision.errors import ProvisionError
from provision.flows.validate import Validation
from provision.model.checks import Result, Status
from provision.text.visible import visible, visible_lines

_LEVELS = {Status.WARN: "warning", Status.FAIL: "error", Status.ERROR: "error"}


def junit(found: Validation) -> str:
    """A test suite for each suite, a test case for each check; what only warns passes, with its words as output."""
    root = ElementTree.Element("testsuites", name="provision validate", time=f"{found.duration_ms / 1000:.3f}")
    for suite in found.suites:
        results = found.of(suite.name)
        counts = {status: str(sum(each.status is status for each in results)) for status in Status}
        element = ElementTree.SubElement(
            root,
            "testsuite",
            name=visible(suite.name),
            tests=str(len(results)),
            failures=counts[Status.FAIL],
            errors=counts[Status.ERROR],
            timestamp=f"{found.run.at:%Y-%m-%dT%H:%M:%S}",
        )
        for each in results:
            _case(element, each)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _case(suite: ElementTree.Element, each: Result) -> None:
    place = ".".join(filter(None, (each.suite, each.store, each.table)))
    seconds = f"{each.duration_ms / 1000:.3f}"
    case = ElementTree.SubElement(suite, "testcase", classname=visible(place), name=visible(each.check), time=seconds)
    names = {Status.FAIL: "failure", Status.ERROR: "error", Status.WARN: "system-out"}
    if each.status in names:
        element = ElementTree.SubElement(case, names[each.status])
        element.text = visible_lines("\n".join(_words(each)))
        if each.status is not Status.WARN:
            element.set("type", str(each.severity))
            element.set("message", visible(_head(each)))


def markdown(found: Validation) -> str:
    """A table of what was found for each suite, first samples below it."""
    lines = []
    for suite in found.suites:
        results = found.of(suite.name)
        passed = sum(each.status is Status.PASS for each in results)
        lines += [
            f"## {visible(suite.name)} · {found.run.environment}",
            "",
            f"{passed} of {len(results)} checks passed.",
            "",
        ]
        odd = [each for each in results if each.status is not Status.PASS]
        if odd:
            lines += [
                "| status | severity | table | check | bad | of | |",
                "| --- | --- | --- | --- | --: | --: | --- |",
            ]
            lines += [_row(each) for each in odd]
            lines.append("")
        for each in odd:
            if each.samples:
                fence = "\n".join(as_json(row, None) for row in each.samples)
                lines += [f"Samples of `{each.check}`:", "", "```json", fence, "```", ""]
    return "\n".join(lines).rstrip()


def _row(each: Result) -> str:
    message = " ".join(each.message.splitlines()) + (" (new)" if each.new else "")
    name = f"{each.store}.{each.table}" if each.store else "all"
    cells = (each.status, each.severity, name, f"`{each.check}`", f"{each.bad:,}", f"{each.total:,}", message)
    return f"| {' | '.join(visible(str(cell)).replace('|', chr(92) + '|') for cell in cells)} |"


def github(found: Validation) -> str:
    """An annotation for each check that did not pass, at its place in the suite."""
    return "\n".join(
        annotation(
            ProvisionError(each.check, _head(each), where=each.place, fix="\n".join(_words(each)[1:])),
            _LEVELS[each.status],
        )
        for each in found.results
        if each.status is not Status.PASS
    )


def _head(each: Result) -> str:
    place = f"{each.store} {each.table}: " if each.store else ""
    return f"{place}{each.bad:,} of {each.total:,} rows" + (f", {each.message}" if each.message else "")


def _words(each: Result) -> list[str]:
    return [_head(each), *_samples(each)]


def _samples(each: Result) -> Iterator[str]:
    yield from (as_json(row, None) for row in each.samples)
