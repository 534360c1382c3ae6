"""Every word that `doctor` prints of its own."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass

from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.problems import command
from provision.flows.doctor import Checkup, by_place
from provision.model import Finding, Severity

SIGNS = {Severity.FINE: ("✓", "done"), Severity.WARNING: ("!", "warn"), Severity.ERROR: ("✗", "error")}
LEVELS = {Severity.WARNING: "warning", Severity.ERROR: "error"}


@dataclass(frozen=True, slots=True)
class Heading:
    """Project and environment; empty when there is none."""

    project: str = ""
    environment: str = ""


def checkup(heading: Heading, done: Checkup, exit_code: int, form: str) -> None:
    """One line a finding, grouped by place, its fix below it; or one JSON document; or annotations."""
    if form == "json":
        print_document(as_json(heading, done, exit_code))
        return
    paper = Paper(sys.stdout)
    if heading.project:
        paper.write(f"{heading.project} · {heading.environment}", "head")
    for place, findings in by_place(done.findings).items():
        paper.write(place, "head")
        for each in findings:
            _line(paper, each)
    if form == "github":
        for each in done.findings:
            if each.severity in LEVELS:
                print_form(command(LEVELS[each.severity], f"{each.place}: {each.message}\n{each.fix}", title=each.rule))
    paper.write(_sum(done))


def as_json(heading: Heading, done: Checkup, exit_code: int) -> dict[str, object]:
    """The document of `--output json`."""
    return {
        "project": heading.project or None,
        "environment": heading.environment or None,
        "findings": [asdict(each) for each in done.findings],
        "exit": exit_code,
    }


def _line(paper: Paper, finding: Finding) -> None:
    sign, style = SIGNS[finding.severity]
    paper.write(f"  {sign} {finding.rule.ljust(11)} {finding.message}", style if style == "done" else "")
    if finding.fix:
        paper.write(f"    {'fix'.ljust(11)} {finding.fix}", "warn" if style == "warn" else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _sum(done: Checkup) -> str:
    wrong = sum(each.severity is Severity.ERROR for each in done.findings)
    odd = sum(each.severity is Severity.WARNING for each in done.findings)
    if not wrong and not odd:
        return "nothing is wrong"
    return f"{_count(wrong, 'error')}, {_count(odd, 'warning')}"
