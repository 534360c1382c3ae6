"""`partitions`: windows of time that are there before they are needed, and leave when their time is over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from provision.cli import complete, group, options, site
from provision.cli.render import html_page
from provision.cli.render import partitions as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_REFUSED, ConfigError, joined
from provision.flows import partitions as flow
from provision.wiring import partitions


def _day(text: str) -> datetime:
    """Of `2026-03-01` or an ISO moment, UTC where no offset is given. Raises ConfigError (bad-moment)."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        what = f"{text!r} is not a moment"
        raise ConfigError("bad-moment", what, where="--from and --as-of", fix="write 2026-03-01") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


app = group.app()
partitions_ = group.app(
    name="partitions",
    help="Keep the windows of partitioned tables.",
    epilog=group.example("provision partitions list --env local"),
)
app.add_typer(partitions_)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...", autocompletion=complete.partitions, show_default=False, help="Documents of partitions/."
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", parser=_day, metavar="DATE", help="As if it were that day, for rehearsals."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]


@dataclass(frozen=True, slots=True)
class _Asked:
    env: str | None
    names: Sequence[str]
    as_of: datetime | None
    output: str
    dry_run: bool = False


Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Also write a page with windows and forecast.")
]


@group.command(partitions_, "list", "provision partitions list --env local", "provision partitions list -o json")
def list_(
    names: Names = None,
    env: options.Env = None,
    as_of: AsOf = None,
    report: Report = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """List the windows of every table in partitions/, or of NAME: range, rows, size, what is missing.

    Exits with 1 when a person is needed: a table runs out, has gaps, or holds rows in its default partition.
    """
    return _looked(_Asked(env, names or (), as_of, output), report, render.listed)


@group.command(
    partitions_, "forecast", "provision partitions forecast --env local", "provision partitions forecast -o json"
)
def forecast(
    names: Names = None,
    env: options.Env = None,
    as_of: AsOf = None,
    report: Report = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Say what becomes of every table in partitions/, or of NAME: when it runs out, how it grows, what it retires.

    Exits with 1 when a person is needed, as `list` does.
    """
    from provision.cli.render.forecast import forecasted

    return _looked(_Asked(env, names or (), as_of, output), report, forecasted)


def _looked(asked: _Asked, report: Path | None, show: Callable[..., None]) -> int:
    project = site.project()
    environment = site.environment(project, asked.env)
    if report is not None:
        html_page.refuse_other(report, "windows")
    sets = partitions.read(project, asked.names)
    with partitions.placed(project, environment, sets) as parts:
        found = flow.standings(sets, parts, asked.as_of, whole=True)
    show(project.name, environment, found, asked.output)
    for each in [] if asked.as_of is not None else flow.skewed(found):
        sys.stderr.write(f"warning: {each}\n")
    if report is not None:
        from provision.cli.render import partitions_page

        html_page.written(report, partitions_page.page(project.name, environment.name, found))
    return EXIT_FINDINGS if any(each.needs for each in found) else EXIT_DONE


@group.command(
    partitions_,
    "ensure",
    "provision partitions ensure --env local",
    "provision partitions ensure ml_predictions --from 2016-01-01 -e production",
)
def ensure(
    names: Names = None,
    env: options.Env = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", parser=_day, metavar="DATE", help="Also older windows, from that day on."),
    ] = None,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Make the windows that are missing. Writers of the tables wait no longer than `lock_timeout`; run it as often as
    you like. `up` does the same at its end."""
    asked = _Asked(env, names or (), as_of, output, dry_run)
    return _changed(asked, render.ENSURE, lambda *given: flow.ensure(*given, since=since, dry_run=dry_run))


@group.command(partitions_, "adopt", "provision partitions adopt --env production", "provision partitions adopt orders")
def adopt(
    stores: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STORE]...", autocompletion=complete.stores, show_default=False, help="Stores; all without it."
        ),
    ] = None,
    env: options.Env = None,
    dry_run: DryRun = False,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Write a document of partitions/ for each table that pg_partman keeps (`engine: partman`). The database is only
    read. Exits with 1 when a table cannot be described."""
    from provision.cli.render.partitions_adopted import adopted

    project = site.project()
    environment = site.environment(project, env)
    with site.masked(environment):
        found = partitions.adopt(project, environment, stores or (), dry_run=dry_run)
    adopted(project.name, environment, found, output, dry_run=dry_run)
    return EXIT_FINDINGS if any(each.why for each in found) else EXIT_DONE


@group.command(partitions_, "merge", "provision partitions merge --dry-run -e production", "provision partitions merge")
def merge(
    names: Names = None,
    env: options.Env = None,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Make coarser windows of those that are old enough (`merge_after`). Rows are copied while everybody works; the
    swap waits no longer than `lock_timeout` for its lock. A run that was killed is gone on with."""
    asked = _Asked(env, names or (), as_of, output, dry_run)
    return _changed(asked, render.MERGE, lambda *given: flow.merge(*given, dry_run=dry_run))


@group.command(
    partitions_, "retire", "provision partitions retire --dry-run -e production", "provision partitions retire"
)
def retire(
    names: Names = None,
    env: options.Env = None,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Take out the windows whose rows were kept long enough (`retain`), and drop, detach, move or export them
    (`on_retire`)."""
    asked = _Asked(env, names or (), as_of, output, dry_run)
    return _changed(asked, render.RETIRE, lambda *given: flow.retire(*given, dry_run=dry_run))


@group.command(
    partitions_,
    "convert",
    "provision partitions convert orders --dry-run -e production",
    "provision partitions convert orders --back",
)
def convert(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...", autocompletion=complete.partitions, show_default=False, help="Documents of partitions/."
        ),
    ],
    env: options.Env = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", parser=_day, metavar="DATE", help="Up to when the first window takes rows."),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Make it an ordinary table again.")] = False,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Make the ordinary table of NAME partitioned: its rows become the first window, nothing is copied, and no lock is
    waited for longer than `lock_timeout`. A run that was killed is gone on with. `--back` undoes it, while all rows are
    in that window. What stands against it is said before anything is done."""
    project = site.project()
    environment = site.environment(project, env)
    sets = partitions.read(project, names)
    words = render.TURNED_BACK if back else render.CONVERTED
    show = render.ChangeRender(project.name, environment, output, words, dry_run=dry_run)
    with site.masked(environment), partitions.placed(project, environment, sets) as parts:
        show.head([])
        if dry_run:
            found = flow.hindered(sets, parts)
            show.hindered(found)
            return EXIT_REFUSED if any(why for _, why in found) else EXIT_DONE
        if back:
            changes = flow.turn_back(sets, parts, show.said)
        else:
            changes = flow.convert(sets, parts, show.said, as_of=as_of, until=until)
        after = flow.standings(sets, parts, as_of)
    show.changes(changes, after)
    return _ended(changes, output)


def _changed(asked: _Asked, words: render.Words, change: Callable[..., list[flow.SetChange]]) -> int:
    project = site.project()
    environment = site.environment(project, asked.env)
    sets = partitions.read(project, asked.names)
    show = render.ChangeRender(project.name, environment, asked.output, words, dry_run=asked.dry_run)
    with site.masked(environment), partitions.placed(project, environment, sets) as parts:
        found = flow.standings(sets, parts, asked.as_of, whole=words is not render.ENSURE)
        show.head([] if asked.as_of is not None else flow.skewed(found))
        changes = change(found, parts, show.said)
        same = asked.dry_run or not any(each.names or each.windows or each.error for each in changes)
        after = found if same else flow.standings(sets, parts, asked.as_of)
    show.changes(changes, after)
    return _ended(changes, asked.output)


def _ended(changes: Sequence[flow.SetChange], output: str) -> int:
    """Raises what went wrong, but where it is in the document that was printed."""
    error = joined([each.error for each in changes if each.error is not None])
    if error is None:
        return EXIT_DONE
    if output == options.JSON:
        return error.exit_code
    raise error
