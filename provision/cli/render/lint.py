"""Every word that `lint` prints of its own."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

import typer

from provision.cli.render import report_files
from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.problems import command
from provision.flows.lint import LintReport
from provision.model import Severity
from provision.model.lint import LintFinding

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.FINE: "notice"}


def report(done: LintReport, exit_code: int, form: str) -> None:
    """A line a finding, its fix below it; or one JSON document; or annotations."""
    if form == "json":
        print_document(as_json(done, exit_code))
        return
    paper = Paper(sys.stdout)
    for each in done.findings:
        if form == "github":
            print_form(annotation(each))
        else:
            lines_of(paper, each)
    paper.write(_sum(done), "" if done.findings else "done")


def as_json(done: LintReport, exit_code: int) -> dict[str, object]:
    """The document of `--output json`."""
    return {
        "findings": [dict(each.told()) for each in done.findings],
        "files": done.files,
        "not_rendered": list(done.not_rendered),
        "exit": exit_code,
    }


def annotation(finding: LintFinding) -> str:
    """A GitHub annotation at the place of the finding."""
    place = {"file": finding.file, "line": str(finding.line), "col": str(finding.column)}
    return command(_LEVELS[finding.severity], f"{finding.message}\n{finding.fix}", **place, title=finding.rule)


def lines_of(paper: Paper, finding: LintFinding) -> None:
    """The place of a finding, what it is, and its fix."""
    level = _LEVELS[finding.severity]
    paper.write(f"{finding.file}:{finding.line}:{finding.column}", "head")
    paper.write(f"  {level}[{finding.rule}]: {finding.message}", "error" if level == "error" else "warn")
    paper.write(f"    fix  {finding.fix}")


def _sum(done: LintReport) -> str:
    errors, warnings = done.count(Severity.ERROR), done.count(Severity.WARNING)
    files = _count(done.files, "file")
    unseen = f", {len(done.not_rendered)} not rendered" if done.not_rendered else ""
    if not errors and not warnings:
        return f"nothing is wrong in {files}{unseen}"
    return f"{_count(errors, 'error')}, {_count(warnings, 'warning')} in {files}{unseen}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def explained(rule: str) -> None:
    """The page of a rule."""
    from provision.cli.render.docs import shown
    from provision.text.pages import of_rule

    shown(of_rule(rule), terminal=sys.stdout.isatty())


def written(done: LintReport, junit: Path | None, sarif: Path | None) -> None:
    """Write the reports that were asked for. Raises ConfigError (unwritable-file)."""
    passed = [] if done.findings else [report_files.JunitCase("provision.lint", f"{done.files} files")]
    report_files.written("provision lint", done.findings, junit, sarif, passed)


def fixed(done: LintReport, free: Collection[str] | None, *, yes: bool) -> None:
    """Show what has one right form as a diff; write it after a question, or without one where `yes`.

    `free`: the files that may be changed; None for all.
    """
    from provision.cli.render import lint_files

    paper = Paper(sys.stderr)
    changed = lint_files.mended([each for each in done.findings if free is None or each.file in free])
    for file, (before, after) in changed.items():
        paper.write_lines(lint_files.diff(file, before, after))
    if not changed:
        paper.write("nothing has one right form")
    elif yes or (sys.stdin.isatty() and typer.confirm(f"Write {_count(len(changed), 'file')}?", err=True)):
        for file, (_, after) in changed.items():
            report_files.write(Path(file), after)
        paper.write(f"{_count(len(changed), 'file')} written", "done")
    else:
        paper.write("nothing was written: add --yes")
