"""`lint`: what the migration files would do in production that their authors did not want. Reaches no database."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from provision import settings
from provision.cli import fixable, group, options, site
from provision.cli.render import lint as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, ConfigError
from provision.flows.lint import LintReport, LintScope, linted
from provision.model import Severity
from provision.wiring import changes
from provision.wiring import lint as wiring
from provision.wiring.lint_cache import LintCache

app = group.app()
_Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE]...", show_default=False, help="Plain files, of the kind that --store names."),
]

_Store = Annotated[str | None, typer.Option("--store", metavar="KIND", help="The kind of the files.")]
_Complete = Annotated[
    bool, typer.Option("--complete", help="The files are the whole history: what none makes is not there.")
]
_Since = Annotated[
    str | None, typer.Option("--changed-since", metavar="REF", help="Show what is in files changed since REF alone.")
]
_Fix = Annotated[bool, typer.Option("--fix", help="Show, and after a question write, what has one right form.")]
_NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every file again, and keep nothing of what is found.")]
_Explain = Annotated[
    str | None, typer.Option("--explain", metavar="RULE", help="Show the page of a rule, and do nothing else.")
]


@group.command(
    app,
    "lint",
    "provision lint",
    "provision lint --env production --changed-since origin/main -o github",
    "provision lint --store postgres migrations/*.sql",
    "provision lint --explain index-clock",
)
def lint(
    files: _Files = None,
    env: options.Env = None,
    only: options.Only = None,
    output: options.Output = options.TEXT,
    store: _Store = None,
    complete: _Complete = False,
    changed_since: _Since = None,
    fix: _Fix = False,
    yes: options.Yes = False,
    junit: options.Junit = None,
    sarif: options.Sarif = None,
    no_cache: _NoCache = False,
    explain: _Explain = None,
) -> int:
    """Find in the files what would lock, rewrite, lose or break something in production.

    Reads the migrations of every store, or plain files that belong to no project. Exits with 1 for a finding of level
    error.
    """
    if explain is not None:
        render.explained(explain)
        return EXIT_DONE
    free: frozenset[str] | None = None  # any file that was named
    if files or store:
        report = _of_files(files, store, complete=complete, project_only=(env, only, changed_since))
    else:
        report, changed = _of_project(env, only, changed_since, fix=fix, cached=not no_cache)
        free = fixable.files(env, changed) if fix and changed is not None else None
    exit_code = EXIT_FINDINGS if report.failed else EXIT_DONE
    render.report(report, exit_code, output)
    render.written(report, junit, sarif)
    if fix:
        render.fixed(report, free, yes=yes)
    return exit_code


def _of_files(
    files: list[Path] | None, store: str | None, *, complete: bool, project_only: Sequence[object]
) -> LintReport:
    if not files or store is None or any(project_only):
        what = (
            "plain files need their kind, --store needs files, and neither goes with --env, --only or --changed-since"
        )
        fix = "write `provision lint --store postgres FILE.sql`"
        raise ConfigError("usage", what, where="provision lint", fix=fix)
    return linted([wiring.of_files(store, files, complete=complete)], LintScope())


def _of_project(
    env: str | None, only: list[str] | None, changed_since: str | None, *, fix: bool, cached: bool
) -> tuple[LintReport, changes.Changes | None]:
    if fix and not changed_since:
        what = "--fix changes no file of a project that a database may have applied: which are new is not known"
        fix_by = "add --changed-since REF; or name plain files: --store KIND FILE"
        raise ConfigError("usage", what, where="provision lint", fix=fix_by)
    project = site.project()
    named = env or os.environ.get("PROVISION_ENV")
    if named:
        settings.choose(project, named, terminal=site.terminal())
    levels = wiring.levels(project.lint_levels(named), str(project.file))
    shown = changes.since(project.root, changed_since) if changed_since else None
    # What an edited file is found to be, another branch decides.
    cache = LintCache(project.local, levels) if cached and not (shown and shown.edited) else None
    found, wrong = wiring.of_project(project, tuple(only or ()), cache)
    return linted(found, _scope(levels, shown), wrong), shown


def _scope(levels: Mapping[str, Severity | None], shown: changes.Changes | None) -> LintScope:
    return LintScope(levels) if shown is None else LintScope(levels, shown.files, shown.edited)
