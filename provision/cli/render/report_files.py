"""Reports of findings and of runs in the forms that CI reads: JUnit and SARIF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from provision.cli.render.paper import as_json as as_text
from provision.errors import ConfigError
from provision.model import Report, Severity
from provision.model.lint import LintFinding
from provision.text.visible import visible, visible_lines
from provision.text.written import NAMED_BY_THE_USER, writing

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.FINE: "note"}


class JunitCase(NamedTuple):
    """A test case: `failed` and `skipped` are what kept it from passing, `kind` the code or rule of the failure."""

    group: str
    name: str
    seconds: float | None = None
    failed: str = ""
    kind: str = ""
    skipped: str = ""
    said: str = ""


def junit(name: str, cases: Sequence[JunitCase]) -> str:
    """A suite of these cases."""
    failures = str(sum(bool(each.failed) for each in cases))
    skipped = str(sum(bool(each.skipped) for each in cases))
    counts = {"tests": str(len(cases)), "failures": failures, "errors": "0", "skipped": skipped}
    suite = ElementTree.Element("testsuite", {"name": name, **counts})
    for each in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=visible(each.group), name=visible(each.name))
        if each.seconds is not None:
            case.set("time", f"{each.seconds:.3f}")
        if each.failed:
            message = visible(each.failed.split("\n")[0])
            said = ElementTree.SubElement(case, "failure", message=message, type=each.kind)
            said.text = visible_lines(each.said or each.failed)
        elif each.skipped:
            ElementTree.SubElement(case, "skipped", message=visible(each.skipped))
        elif each.said:
            ElementTree.SubElement(case, "system-out").text = visible_lines(each.said)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def of_findings(findings: Iterable[LintFinding]) -> list[JunitCase]:
    """A case for each finding, failed where it is an error."""
    return [_case(each) for each in findings]


def _case(each: LintFinding) -> JunitCase:
    said = f"{each.file}:{each.line}:{each.column}\n{each.message}\n{each.fix}"
    wrong = each.severity is Severity.ERROR
    return JunitCase(
        each.file, f"{each.rule} {each.line}", failed=each.message if wrong else "", kind=each.rule, said=said
    )


def of_run(report: Report, error: Exception | None) -> list[JunitCase]:
    """A case for each step of a run: done, failed, or not come to; one for an error that is of no step."""
    cases = [
        JunitCase(each.step.revision.store, each.step.id, each.duration_ms / 1000, skipped=each.skipped)
        for each in report.done
    ]
    for one in report.failures:
        cases.append(_failed(one.step.revision.store, one.step.id, one.error))
    failed = {one.step.id for one in report.failures}
    left = [each for each in report.remaining if each.id not in failed]
    cases += [JunitCase(each.revision.store, each.id, skipped="not run") for each in left]
    if error is not None and not report.failures:
        cases.append(_failed("provision", "run", error))
    return cases or [JunitCase("provision", "nothing to do")]


def of_error(error: Exception) -> list[JunitCase]:
    """The one case of a run that was refused before its first step."""
    return [_failed("provision", "run", error)]


def _failed(group: str, name: str, error: Exception) -> JunitCase:
    what, fix = str(getattr(error, "what", error)), str(getattr(error, "fix", ""))
    code = str(getattr(error, "code", type(error).__name__))
    return JunitCase(group, name, failed=what, kind=code, said="\n".join(filter(None, (what, fix))))


def sarif(name: str, findings: Sequence[LintFinding]) -> Mapping[str, object]:
    """A log of SARIF 2.1.0 with one run; paths are as they were named, relative to where it ran."""
    names = sorted({each.rule for each in findings})
    driver = {
        "name": name,
        "version": metadata.version("provision-toolkit"),
        "rules": [{"id": rule, "help": {"text": _help(rule)}} for rule in names],
    }
    results = [_result(each, names.index(each.rule)) for each in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _help(rule: str) -> str:
    from provision.text.pages import of_rule

    try:
        of_rule(rule)
    except ConfigError:
        return "provision docs verify"  # of a rehearsal or a comparison, which one page is about
    return f"provision lint --explain {rule}"


def _result(each: LintFinding, rule: int) -> Mapping[str, object]:
    place = {
        "artifactLocation": {"uri": quote(Path(each.file).as_posix())},
        "region": {"startLine": max(each.line, 1), "startColumn": max(each.column, 1)},
    }
    return {
        "ruleId": each.rule,
        "ruleIndex": rule,
        "level": _SARIF[each.severity],
        "message": {"text": f"{each.message}. Fix: {each.fix}"},
        "locations": [{"physicalLocation": place}],
    }


def written(
    name: str,
    findings: Sequence[LintFinding],
    junit_file: Path | None,
    sarif_file: Path | None,
    passed: Sequence[JunitCase] = (),
) -> None:
    """Write the reports that were asked for; `passed` are cases besides the findings. Raises ConfigError."""
    if junit_file is not None:
        write(junit_file, junit(name, [*of_findings(findings), *passed]))
    if sarif_file is not None:
        write(sarif_file, as_text(sarif(name, findings)) + "\n")


def write(path: Path, text: str) -> None:
    """Raises ConfigError (unwritable-file)."""
    with writing(path.name, path, NAMED_BY_THE_USER):
        path.write_bytes(text.encode())
