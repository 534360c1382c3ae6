"""`validate`, `validate history` and `validate-probability-data`: data checks on live stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from provision.cli import complete, group, options, site
from provision.cli.moments import Moment, moment
from provision.cli.render import checks as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS
from provision.model.checks import UNSAID, CheckSeverity, Scope
from provision.wiring.hooks import checked_hooks
from provision.wiring.validation import kept, validated

PROBABILITY = "probability"
TIMEOUT = 300.0  # seconds
_Form = Literal["text", "json", "junit", "markdown", "github"]


app = group.app()

Compare = Annotated[
    bool,
    typer.Option("--compare", help="Beside what was measured show what the run before measured."),
]

Checks = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="CHECK", help="Only checks of this name; * stands for any."),
]
Since = Annotated[
    Moment | None,
    typer.Option(
        "--since",
        parser=moment("--since", last=True),
        metavar="TIME",
        help="Only rows from then on: 24h ago, a moment, or last: since the run before.",
    ),
]
Until = Annotated[
    Moment | None,
    typer.Option("--until", parser=moment("--until"), metavar="TIME", help="Only rows before then."),
]
Tenant = Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Only rows of this tenant.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="Only checks with this tag, or one of several.")
]
Metrics = Annotated[
    Path | None,
    typer.Option("--metrics", dir_okay=False, metavar="FILE", help="Also write what was found for Prometheus."),
]
Sample = Annotated[int, typer.Option("--sample", min=0, max=1000, metavar="N", help="Bad rows to show.")]
FailOn = Annotated[
    CheckSeverity, typer.Option("--fail-on", help="Exit 1 when a failing check matters at least this much.")
]
Report = Annotated[
    list[Path] | None,
    typer.Option(
        "--report",
        dir_okay=False,
        metavar="FILE",
        help="Also write the result there: .html, .json, .xml (JUnit) or .md.",
    ),
]
NoHistory = Annotated[bool, typer.Option("--no-history", help="Neither read nor keep results.")]
Everything = Annotated[bool, typer.Option("--all", help="List checks that pass too.")]
Output = Annotated[_Form, typer.Option("--output", "-o", help="How to print the result.")]


@group.command(
    app,
    "validate",
    "provision validate --env local",
    "provision validate probability features --since 24h --report report.html",
    "provision validate cross_store --only 'feedback_*' --fail-on medium",
    "provision validate history confidence_out_of_range -e production",
)
def validate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUITE]...",
            autocompletion=complete.suites_or_history,
            show_default=False,
            help="Only these suites.",
        ),
    ] = None,
    env: options.Env = None,
    only: Checks = None,
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    tenant: Tenant = None,
    sample: Sample = 5,
    fail_on: FailOn = UNSAID,
    timeout: options.StatementTimeout = TIMEOUT,
    report: Report = None,
    metrics: Metrics = None,
    no_history: NoHistory = False,
    compare: Compare = False,
    everything: Everything = False,
    output: Output = options.TEXT,
) -> int:
    """Check the data against the suites in checks/, all of them unless SUITE is named. Reads only; keeps the results.

    Exits with 0 when no check failed that matters at least --fail-on, 1 when one did or could not be made, 2 when a
    suite is wrong (nothing was read then), 4 when a store does not answer. A table without rows is empty, which is no
    pass; a suite without any row fails unless it says that its tables may be empty.
    """
    scope = (only, tag, since, until, tenant, timeout)
    return _run(
        names or (),
        _Asked(env, *scope, sample, fail_on, report or (), metrics, no_history, compare, everything, output),
    )


@group.command(
    app,
    "validate-probability-data",
    "provision validate-probability-data --env local",
    "provision validate-probability-data -e ci --tenant acme --since 7d -o json",
)
def validate_probability_data(
    env: options.Env = None,
    only: Checks = None,
    tag: Tags = None,
    since: Since = None,
    until: Until = None,
    tenant: Tenant = None,
    sample: Sample = 5,
    fail_on: FailOn = UNSAID,
    timeout: options.StatementTimeout = TIMEOUT,
    report: Report = None,
    metrics: Metrics = None,
    no_history: NoHistory = False,
    compare: Compare = False,
    everything: Everything = False,
    output: Output = options.TEXT,
) -> int:
    """Check the probability data: `validate probability`, with its options and exit codes."""
    scope = (only, tag, since, until, tenant, timeout)
    return _run(
        (PROBABILITY,),
        _Asked(env, *scope, sample, fail_on, report or (), metrics, no_history, compare, everything, output),
    )


@group.command(
    app, "validate history", "provision validate history --env local", "provision validate history rows -e ci"
)
def history(
    check: Annotated[str | None, typer.Argument(metavar="[CHECK]", help="Only this check.")] = None,
    env: options.Env = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", metavar="NAME", autocompletion=complete.suites, help="Only this suite."),
    ] = None,
    since: Annotated[
        Moment | None,
        typer.Option(
            "--since", parser=moment("--since"), metavar="TIME", help="Only runs from then on: 7d ago, or a moment."
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many results.")] = 200,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Show what earlier runs found, oldest first, and the trend; of CHECK if one is named."""
    project = site.project()
    environment = site.environment(project, env)
    found = kept(project, environment, suite, check, since.at if since else None, limit)
    render.history(project.name, environment.name, found, output)
    return EXIT_DONE


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of a command that makes checks."""

    env: str | None
    only: Sequence[str] | None
    tags: Sequence[str] | None
    since: Moment | None
    until: Moment | None
    tenant: str | None
    timeout: float
    sample: int
    fail_on: CheckSeverity
    report: Sequence[Path]
    metrics: Path | None
    no_history: bool
    compare: bool
    everything: bool
    output: str

    @property
    def scope(self) -> Scope:
        parts = {
            "since": self.since and self.since.text,
            "until": self.until and self.until.text,
            "tenant": self.tenant,
            "only": ", ".join(self.only or ()),
            "tag": ", ".join(self.tags or ()),
        }
        label = ", ".join(f"{name} {value}" for name, value in parts.items() if value)
        since, until = (each.at if each else None for each in (self.since, self.until))
        return Scope(since, until, self.tenant, self.timeout, label)


def _run(names: Sequence[str], asked: _Asked) -> int:
    for each in asked.report:
        render.known_report(each)
    project = site.project()
    environment = site.environment(project, asked.env)
    with checked_hooks(project, environment, names, render.hook_failed) as ended:
        found, earlier = validated(
            project,
            environment,
            names,
            asked.only or (),
            asked.scope,
            asked.sample,
            keep=not asked.no_history,
            compare=asked.compare,
            trends=bool(asked.report),
            tags=asked.tags or (),
            since_last=asked.since is not None and asked.since.at is None,
        )
        found = replace(found, fail_on=asked.fail_on)
        ended(found, fails=found.fails())
    render.show(project.name, found, asked.output, everything=asked.everything)
    for each in asked.report:
        render.write(each, project.name, found, earlier)
    if asked.metrics is not None:
        from provision.cli.render import check_metrics

        check_metrics.write(asked.metrics, project.name, found)
    return EXIT_FINDINGS if found.fails() else EXIT_DONE
