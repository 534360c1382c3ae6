"""`validate`, `validate history` and `validate-probability-data`: data checks on live stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from provision.cli import complete, group, options, site
from provision.cli.render import checks as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, ConfigError
from provision.model.checks import CheckSeverity, Scope
from provision.validate.verdict import reaches
from provision.wiring.validation import kept, validated

PROBABILITY = "probability"
TIMEOUT = 300.0  # seconds
_AGO = re.compile(r"(\d+)\s*(m|h|d|w)")
_Form = Literal["text", "json", "junit", "markdown", "github"]


class Moment(NamedTuple):
    """A moment, with the text as it was given."""

    at: datetime
    text: str


def moment(option: str) -> Callable[[str], Moment]:
    """A reader of `24h` (that long ago) and of ISO 8601, UTC where no offset is given.

    It raises ConfigError (bad-moment).
    """

    def read(value: str) -> Moment:
        text = value.strip()
        if found := _AGO.fullmatch(text):
            unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
            return Moment(datetime.now(UTC) - timedelta(**{unit: int(found[1])}), text)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            what = f"{text!r} is not a moment"
            raise ConfigError("bad-moment", what, where=option, fix="write 24h, or 2026-03-02T09:00") from None
        return Moment(at if at.tzinfo else at.replace(tzinfo=UTC), text)

    return read


app = group.app()

Checks = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="CHECK", help="Only checks of this name; * stands for any."),
]
Since = Annotated[
    Moment | None,
    typer.Option(
        "--since", parser=moment("--since"), metavar="TIME", help="Only rows from then on: 24h ago, or a moment."
    ),
]
Until = Annotated[
    Moment | None,
    typer.Option("--until", parser=moment("--until"), metavar="TIME", help="Only rows before then."),
]
Tenant = Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Only rows of this tenant.")]
Sample = Annotated[int, typer.Option("--sample", min=0, max=1000, metavar="N", help="Bad rows to show.")]
FailOn = Annotated[
    CheckSeverity, typer.Option("--fail-on", help="Exit 1 when a failing check matters at least this much.")
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        parser=options.duration("--timeout"),
        metavar="TIME",
        show_default=False,
        help="The limit of one statement; else 5m.",
    ),
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
    since: Since = None,
    until: Until = None,
    tenant: Tenant = None,
    sample: Sample = 5,
    fail_on: FailOn = CheckSeverity.HIGH,
    timeout: Timeout = TIMEOUT,
    report: Report = None,
    no_history: NoHistory = False,
    everything: Everything = False,
    output: Output = options.TEXT,
) -> int:
    """Check the data against the suites in checks/, all of them unless SUITE is named. Reads only; keeps the results.

    Exits with 0 when no check failed that matters at least --fail-on, 1 when one did or could not be made, 2 when a
    suite is wrong (nothing was read then), 4 when a store does not answer. A table without rows warns, a suite without
    any fails.
    """
    scope = (only, since, until, tenant, timeout)
    return _run(names or (), _Asked(env, *scope, sample, fail_on, report or (), no_history, everything, output))


@group.command(
    app,
    "validate-probability-data",
    "provision validate-probability-data --env local",
    "provision validate-probability-data -e ci --tenant acme --since 7d -o json",
)
def validate_probability_data(
    env: options.Env = None,
    only: Checks = None,
    since: Since = None,
    until: Until = None,
    tenant: Tenant = None,
    sample: Sample = 5,
    fail_on: FailOn = CheckSeverity.HIGH,
    timeout: Timeout = TIMEOUT,
    report: Report = None,
    no_history: NoHistory = False,
    everything: Everything = False,
    output: Output = options.TEXT,
) -> int:
    """Check the probability data: `validate probability`, with its options and exit codes."""
    scope = (only, since, until, tenant, timeout)
    return _run((PROBABILITY,), _Asked(env, *scope, sample, fail_on, report or (), no_history, everything, output))


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
    since: Moment | None
    until: Moment | None
    tenant: str | None
    timeout: float
    sample: int
    fail_on: CheckSeverity
    report: Sequence[Path]
    no_history: bool
    everything: bool
    output: str

    @property
    def scope(self) -> Scope:
        parts = {
            "since": self.since and self.since.text,
            "until": self.until and self.until.text,
            "tenant": self.tenant,
            "only": ", ".join(self.only or ()),
        }
        label = ", ".join(f"{name} {value}" for name, value in parts.items() if value)
        since, until = (each.at if each else None for each in (self.since, self.until))
        return Scope(since, until, self.tenant, self.timeout, label)


def _run(names: Sequence[str], asked: _Asked) -> int:
    for each in asked.report:
        render.known_report(each)
    project = site.project()
    environment = site.environment(project, asked.env)
    found, earlier = validated(
        project,
        environment,
        names,
        asked.only or (),
        asked.scope,
        asked.sample,
        keep=not asked.no_history,
        trends=bool(asked.report),
    )
    render.show(project.name, found, asked.output, everything=asked.everything)
    for each in asked.report:
        render.write(each, project.name, found, earlier)
    return EXIT_FINDINGS if reaches(found.results, asked.fail_on) else EXIT_DONE
