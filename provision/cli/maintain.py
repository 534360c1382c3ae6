"""`maintain`: what a database needs again and again is done, now or by a timer."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from provision.cli import complete, group, options, site, stopping
from provision.cli.render import maintain as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, Interrupted, joined
from provision.flows import maintain as flow
from provision.maintain import timers
from provision.text.written import writing
from provision.wiring import maintain

app = group.app()
maintain_ = group.app(
    name="maintain",
    help="Run what is due again and again, or plan it.",
    epilog=group.example("provision maintain run --env local"),
)
app.add_typer(maintain_)

Jobs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[JOB]...", autocompletion=complete.jobs, show_default=False, help="Jobs of maintain.yaml."),
]


@group.command(
    maintain_,
    "run",
    "provision maintain run --env local",
    "provision maintain run refresh_daily_features -e production",
)
def run(
    names: Jobs = None,
    env: options.Env = None,
    wait: options.Wait = options.WAIT,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Run every job of maintain.yaml now, or JOB, one after the other.

    What fails stops neither the rest of its job nor the other jobs. A statement that cannot have its locks in the time
    of --wait fails, and says who has them. Ctrl-C ends after the statement in hand.
    """
    project = site.project()
    jobs = maintain.read(project, names or ())
    environment = site.environment(project, env)
    show = render.JobRender(project.name, environment, output)
    with (
        site.masked(environment),
        maintain.placed(project, environment, jobs) as (place, mine),
        stopping.stoppable("statement") as stopped,
    ):

        def check() -> None:
            if stopped.is_set():
                raise Interrupted(stopped.by)

        show.head()
        outcomes = flow.run(maintain.plans(place, mine, stopped, wait), show, check)
    show.ended(outcomes)
    error = joined([each.error for each in outcomes if each.error is not None])
    if error is None:
        return EXIT_DONE
    if output == options.JSON:  # the errors are in the document
        return error.exit_code
    raise error


@group.command(maintain_, "status", "provision maintain status --env local", "provision maintain status -o json")
def status(names: Jobs = None, env: options.Env = None, output: options.TextOrJson = options.TEXT) -> int:
    """Show when each job is due, how its last run ended, and who runs it. Reads only.

    Exits with 1 when the last run of a job failed or was cut short, or is so long ago that the next one was missed.
    """
    project = site.project()
    jobs = maintain.read(project, names or ())
    environment = site.environment(project, env)
    with site.masked(environment), maintain.placed(project, environment, jobs) as (place, mine):
        found = flow.standings(mine, place.upkeeps)
    render.standings(project.name, environment, found, output)
    return EXIT_FINDINGS if any(each.needs for each in found) else EXIT_DONE


@group.command(
    maintain_,
    "install",
    "provision maintain install --env production",
    "provision maintain install --as systemd --out /etc/systemd/system",
)
def install(
    form: Annotated[timers.Form, typer.Option("--as", help="What to print for jobs that no server runs.")] = (
        timers.Form.CRONTAB
    ),
    out: Annotated[
        Path | None,
        typer.Option("--out", file_okay=False, metavar="FOLDER", help="Write it to files there; else it is printed."),
    ] = None,
    image: Annotated[
        str | None, typer.Option("--image", metavar="NAME", help="The image of Kubernetes; else PROJECT-migrations.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take all jobs of this project away from pg_cron.")] = False,
    env: options.Env = None,
    output: options.TextOrJson = options.TEXT,
) -> int:
    """Hand the jobs to pg_cron where it is there, a statement each; print a timer for what it cannot run.

    Run it again after a change of maintain.yaml: what is there already stays, what left the file goes.
    """
    project = site.project()
    jobs = () if remove else maintain.read(project)
    environment = site.environment(project, env)
    with site.masked(environment), maintain.placed(project, environment, jobs, every=True) as (place, mine):
        changes, left, missing = maintain.scheduled(place, mine)
    caller = timers.Caller(
        project.name, project.root.resolve(), environment.name, _program(), image or f"{project.name}-migrations"
    )
    found = timers.files(form, caller, left)
    if out is not None:
        _write(out, found)
    render.installed(project.name, environment, changes, missing, found, out, (output, form))
    return EXIT_DONE


def _program() -> list[str]:
    """How a timer, whose PATH is short, calls this program."""
    beside = Path(sys.executable).parent / "provision"
    return [str(beside) if beside.exists() else shutil.which("provision") or "provision"]


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    with writing(str(folder), folder, "name a folder that this user may write"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
