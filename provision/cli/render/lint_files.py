"""What `lint` writes into files: reports for other programs, and the files themselves, mended."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from provision.flows.lint import LintReport
from provision.model import Severity
from provision.model.lint import LintFinding
from provision.text.visible import visible, visible_lines

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.FINE: "note"}


def junit(report: LintReport) -> str:
    """A test case for each finding, failed where it is an error; one that passed where there is none."""
    errors = report.count(Severity.ERROR)
    tests = max(len(report.findings), 1)
    suite = ElementTree.Element("testsuite", name="provision lint", tests=str(tests), failures=str(errors), errors="0")
    for each in report.findings:
        place = f"{each.file}:{each.line}:{each.column}"
        case = ElementTree.SubElement(suite, "testcase", classname=visible(each.file), name=f"{each.rule} {each.line}")
        wrong = each.severity is Severity.ERROR
        said = ElementTree.SubElement(case, "failure" if wrong else "system-out")
        said.text = visible_lines(f"{place}\n{each.message}\n{each.fix}")
        if wrong:
            said.set("message", visible(each.message))
            said.set("type", each.rule)
    if not report.findings:
        ElementTree.SubElement(suite, "testcase", classname="provision.lint", name=f"{report.files} files")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def sarif(report: LintReport) -> Mapping[str, object]:
    """A log of SARIF 2.1.0 with one run; paths are as they were named, relative to where it ran."""
    names = sorted({each.rule for each in report.findings})
    driver = {
        "name": "provision lint",
        "version": metadata.version("provision-toolkit"),
        "rules": [{"id": name, "help": {"text": f"provision lint --explain {name}"}} for name in names],
    }
    results = [_result(each, names.index(each.rule)) for each in report.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(each: LintFinding, rule: int) -> Mapping[str, object]:
    place = {
        "artifactLocation": {"uri": quote(Path(each.file).as_posix())},
        "region": {"startLine": each.line, "startColumn": each.column},
    }
    return {
        "ruleId": each.rule,
        "ruleIndex": rule,
        "level": _SARIF[each.severity],
        "message": {"text": f"{each.message}. Fix: {each.fix}"},
        "locations": [{"physicalLocation": place}],
    }


def mended(findings: Sequence[LintFinding]) -> Mapping[str, tuple[str, str]]:
    """File → its text and the text with the edits of its findings; only files that have any. Raises OSError."""
    edits = {each.file: {edit for one in findings if one.file == each.file for edit in one.edits} for each in findings}
    made = {}
    for file, found in edits.items():
        if found:
            written = Path(file).read_bytes().decode("utf-8")
            # The places are those of a text without a mark at its start and with line ends as LF.
            mark = "\ufeff" if written.startswith("\ufeff") else ""
            text = written.removeprefix(mark).replace("\r\n", "\n")
            for edit in sorted(found, reverse=True):
                text = text[: edit.start] + edit.text + text[edit.end :]
            made[file] = (written, mark + (text.replace("\n", "\r\n") if "\r\n" in written else text))
    return made


def diff(file: str, before: str, after: str) -> list[str]:
    """The change as a unified diff, line by line."""
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, lineterm=""))
