"""`validate`, `validate history` and `validate-probability-data`: data checks on live stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from provision import kinds, settings
from provision.cli import complete, options, site
from provision.cli.render import checks as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, CapabilityMissing, ConfigError
from provision.flows.needed import Needed, reached
from provision.model.checks import Scope, Severity
from provision.validate.verdict import reaches
from provision.wiring.validation import validated

F = TypeVar("F", bound=Callable[..., Any])
PROBABILITY = "probability"
_AGO = re.compile(r"(\d+)\s*(m|h|d|w)")


class Moment(click.ParamType[tuple[datetime, str]]):
    """A moment from `24h` (that long ago) or ISO 8601, UTC where no offset is given; with the text as it was given."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, _ctx: click.Context | None) -> tuple[datetime, str]:
        text = str(value).strip()
        if found := _AGO.fullmatch(text):
            unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
            return datetime.now(UTC) - timedelta(**{unit: int(found[1])}), text
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            option = param.opts[0] if param else ""
            what = f"{text!r} is not a moment"
            raise ConfigError("bad-moment", what, where=option, fix="write 24h, or 2026-03-02T09:00") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), text


class _WithHistory(click.Group):
    """`history` is a command of its own; whatever else follows are names of suites."""

    no_args_is_help = False
    allow_interspersed_args = True
    parse_args = click.Command.parse_args
    invoke = click.Command.invoke
    collect_usage_pieces = click.Command.collect_usage_pieces
    shell_complete = click.Command.shell_complete

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.no_args_is_help = False

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] and args[0] in self.commands:
            return self.commands[args[0]].make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


_LOOKING = (
    options.env,
    click.option("--only", metavar="CHECK", multiple=True, help="Only checks of this name; * stands for any."),
    click.option("--since", type=Moment(), metavar="TIME", help="Only rows from then on: 24h ago, or a moment."),
    click.option("--until", type=Moment(), metavar="TIME", help="Only rows before then."),
    click.option("--tenant", metavar="NAME", help="Only rows of this tenant."),
    click.option("--sample", type=click.IntRange(0, 1000), default=5, metavar="N", help="Bad rows to show."),
    click.option(
        "--fail-on",
        type=click.Choice([str(each) for each in Severity]),
        default=str(Severity.HIGH),
        help="Exit 1 when a failing check matters at least this much.",
    ),
    click.option(
        "--timeout", type=options.Duration(), default="5m", metavar="TIME", help="The limit of one statement."
    ),
    click.option(
        "--report",
        type=click.Path(dir_okay=False, path_type=Path),
        multiple=True,
        metavar="FILE",
        help="Also write the result there: .html, .json, .xml (JUnit) or .md.",
    ),
    click.option("--no-history", is_flag=True, help="Neither read nor keep results."),
    click.option("--all", "everything", is_flag=True, help="List checks that pass too."),
    click.option(
        "--output",
        "-o",
        type=click.Choice(render.FORMS),
        default=options.TEXT,
        help="How to print the result.",
    ),
)


def _looking(function: F) -> F:
    """The options of every command that makes checks."""
    for option in reversed(_LOOKING):
        function = option(function)
    return function


@click.command(
    cls=_WithHistory,
    epilog=options.example(
        "provision validate --env local",
        "provision validate probability features -e production --since 24h --report report.html",
        "provision validate cross_store -e production --only 'feedback_*' --fail-on medium",
        "provision validate history confidence_out_of_range -e production",
    ),
)
@click.argument("names", nargs=-1, metavar="[SUITE]...", shell_complete=complete.suites)
@_looking
def validate(names: tuple[str, ...], **asked: Any) -> int:
    """Check the data against the suites in checks/, all of them unless SUITE is named. Reads only; keeps the results.

    Exits with 0 when no check failed that matters at least --fail-on, 1 when one did or could not be made, 2 when a
    suite is wrong (nothing was read then), 4 when a store does not answer. A table without rows warns, a suite without
    any fails.
    """
    return _run(names, _Asked(**asked))


@click.command(
    epilog=options.example(
        "provision validate-probability-data --env local",
        "provision validate-probability-data -e production --tenant acme --since 7d --output json",
    )
)
@_looking
def validate_probability_data(**asked: Any) -> int:
    """Check the probability data: `validate probability`, with its options and exit codes."""
    return _run((PROBABILITY,), _Asked(**asked))


@validate.command(
    "history", epilog=options.example("provision validate history --env local", "provision validate history rows -e ci")
)
@click.argument("check", required=False)
@options.env
@click.option("--suite", metavar="NAME", help="Only this suite.", shell_complete=complete.suites)
@click.option("--since", type=Moment(), metavar="TIME", help="Only runs from then on: 7d ago, or a moment.")
@click.option("--limit", type=click.IntRange(1), default=200, metavar="N", help="At most so many results.")
@click.option(
    "--output",
    "-o",
    type=click.Choice([options.TEXT, options.JSON]),
    default=options.TEXT,
    help="How to print the result.",
)
def history(
    check: str | None,
    env: str | None,
    suite: str | None,
    since: tuple[datetime, str] | None,
    limit: int,
    output: str,
) -> int:
    """Show what earlier runs found, oldest first, and the trend; of CHECK if one is named."""
    project = site.project()
    environment = site.environment(project, env)
    with site.masked(environment), _reached(project, environment, frozenset(), frozenset({project.home})) as needed:
        kept = needed.stores[project.home].history if project.home in needed.stores else None
        if kept is None:
            if project.home in needed.lost:
                raise needed.lost[project.home]
            raise CapabilityMissing(project.home, "history", "results of checks are kept in the home store")
        found = kept.read(suite, check, since[0] if since else None, limit)
        mine = [each for each in found if each.run.environment == environment.name]
        render.history(project.name, environment.name, list(reversed(mine)), output)
    return EXIT_DONE


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of a command that makes checks."""

    env: str | None
    only: tuple[str, ...]
    since: tuple[datetime, str] | None
    until: tuple[datetime, str] | None
    tenant: str | None
    sample: int
    fail_on: str
    timeout: float
    report: tuple[Path, ...]
    no_history: bool
    everything: bool
    output: str

    @property
    def scope(self) -> Scope:
        parts = {
            "since": self.since and self.since[1],
            "until": self.until and self.until[1],
            "tenant": self.tenant,
            "only": ", ".join(self.only),
        }
        label = ", ".join(f"{name} {value}" for name, value in parts.items() if value)
        since, until = (each[0] if each else None for each in (self.since, self.until))
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
        asked.only,
        asked.scope,
        asked.sample,
        keep=not asked.no_history,
        trends=bool(asked.report),
    )
    render.show(project.name, found, asked.output, everything=asked.everything)
    for each in asked.report:
        render.write(each, project.name, found, earlier)
    return EXIT_FINDINGS if reaches(found.results, Severity(asked.fail_on)) else EXIT_DONE


def _reached(
    project: settings.Project, environment: settings.Environment, names: frozenset[str], wanted: frozenset[str]
) -> AbstractContextManager[Needed]:
    return reached(project, environment, kinds.build, site.engine, names, wanted)
