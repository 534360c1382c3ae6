"""Every word that `maintain` prints."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from provision.cli.render.paper import Paper, moment, print_document, print_form
from provision.cli.render.problems import as_dict
from provision.errors import parts
from provision.flows.maintain import Changes, JobDone, JobStanding, PieceDone
from provision.maintain import schedule
from provision.maintain.timers import Form
from provision.model.maintain import Job, JobRun
from provision.settings import Environment

_SIGNS = {"done": "✓", "failed": "✗", "running": "▸", "cut short": "✗"}
_HOW = {
    Form.CRONTAB: "for a crontab",
    Form.SYSTEMD: "for /etc/systemd/system; then systemctl daemon-reload, systemctl enable --now each timer",
    Form.KUBERNETES: "for kubectl apply",
}


class JobRender:
    """Prints how jobs go, on stderr when stdout is for one JSON document. `provision.flows.maintain.Watcher`."""

    def __init__(self, project: str, environment: Environment, form: str) -> None:
        self._project, self._environment, self._form = project, environment, form
        self._paper = Paper(sys.stdout if form == "text" else sys.stderr)
        self._pieces = 0

    def head(self) -> None:
        self._paper.write(f"{self._project} · {self._environment.name}", "head")

    def begun(self, job: Job, pieces: int) -> None:
        self._pieces = pieces
        self._paper.write(f"{job.store} {job.name}{'' if pieces else '  nothing to do'}")

    def at(self, _job: Job, number: int, what: str) -> None:
        self._paper.transient(f"  … {number} of {self._pieces}: {what}")

    def said(self, _job: Job, text: str) -> None:
        self._paper.write(f"      {self._environment.mask(text)}", "dim")

    def done(self, _job: Job, piece: PieceDone) -> None:
        said = f"  {piece.said}" if piece.said else ""
        sign, style = ("✗", "bad") if piece.error else ("✓", "done")
        self._paper.write(f"  {sign} {piece.what}{said}  {taken(piece.seconds)}", style)

    def ended(self, outcomes: Sequence[JobDone]) -> None:
        if self._form == "json":
            print_document([self._as_json(each) for each in outcomes])

    def _as_json(self, each: JobDone) -> dict[str, Any]:
        mask = self._environment.mask
        errors = [] if each.error is None else [as_dict(error) for error in parts(each.error)]
        return {
            "job": each.job.name,
            "store": each.job.store,
            "kind": each.job.kind,
            "pieces": [
                {
                    "what": piece.what,
                    "said": piece.said or None,
                    "seconds": round(piece.seconds, 3),
                    "failed": piece.error is not None,
                }
                for piece in each.pieces
            ],
            "errors": [{name: mask(value) for name, value in error.items()} for error in errors],
        }


def standings(project: str, environment: Environment, found: Sequence[JobStanding], form: str) -> None:
    """How each job stands."""
    if form == "json":
        print_document([as_json(each) for each in found])
        return
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {environment.name}", "head")
    wide = max((len(each.job.name) for each in found), default=0)
    for each in found:
        last, run = each.last, "not run yet" if each.last is None else _last(each.last)
        sign = "·" if last is None else "✗" if each.overdue else _SIGNS[last.state]
        when = schedule.words(each.job.schedule)
        by = f", by {each.scheduler}" if each.scheduler else ""
        failures = f"; {each.failures} of the last runs failed" if each.failures else ""
        style = "bad" if each.needs else ""
        paper.write(paper.fitted(f"  {sign} {each.job.name.ljust(wide)}  {when}{by}  {run}{failures}"), style)
        if last is not None and last.error:
            paper.write(f"      {environment.mask(last.error)}", "dim")
        elif last is not None and each.overdue:
            paper.write("      is overdue: nobody ran it since", "dim")


def as_json(each: JobStanding) -> dict[str, Any]:
    """The document of `maintain status`, for one job."""
    return {
        "job": each.job.name,
        "store": each.job.store,
        "kind": each.job.kind,
        "description": each.job.description or None,
        "schedule": {"words": schedule.words(each.job.schedule), "cron": schedule.cron(each.job.schedule)},
        "scheduler": each.scheduler or None,
        "installed": [
            {"name": one.name, "cron": one.cron, "statement": one.statement, "active": one.active}
            for one in each.installed
        ],
        "last": _run(each.last) if each.last is not None else None,
        "failures": each.failures,
        "needs": each.needs or None,
    }


def installed(
    project: str,
    environment: Environment,
    changes: Sequence[Changes],
    missing: Mapping[str, str],
    timers: Mapping[str, str],
    written: Path | None,
    form: tuple[str, Form],
) -> None:
    """What was handed to servers, and on stdout, unless it was written, what a timer needs for the rest."""
    output, kind = form
    if output == "json":
        stores = [{"store": each.store, "scheduler": "pg_cron", **_changes(each)} for each in changes]
        gone = [{"store": store, "scheduler": None, "reason": reason} for store, reason in missing.items()]
        print_document({"stores": [*stores, *gone], "timers": {"as": str(kind), "files": dict(timers)}})
        return
    paper = Paper(sys.stderr if timers and written is None else sys.stdout)
    paper.write(f"{project} · {environment.name}", "head")
    for each in changes:
        said = [f"{len(names)} {verb}" for verb, names in _changes(each).items() if names]
        paper.write(f"  ✓ {each.store}  pg_cron: {', '.join(said) or 'no jobs'}", "done")
    for store, reason in missing.items():
        paper.write(f"  · {store}  {reason}")
    if timers and written is not None:
        paper.write(f"  ✓ {len(timers)} files in {written}, {_HOW[kind]}")
    elif timers:
        paper.write(f"  what no server runs of itself is printed {_HOW[kind]}")
        print_form("\n".join(text if len(timers) == 1 else _titled(kind, name, text) for name, text in timers.items()))


def taken(seconds: float) -> str:
    """`38 ms`, `4.2 s`, `12 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _titled(kind: Form, name: str, text: str) -> str:
    return f"---\n{text}" if kind is Form.KUBERNETES else f"# {name}\n{text}"


def _changes(each: Changes) -> dict[str, list[str]]:
    return {verb: list(getattr(each, verb)) for verb in ("made", "changed", "kept", "removed")}


def _last(run: JobRun) -> str:
    at = f"{run.began:%Y-%m-%d %H:%M} UTC"
    if run.ended is None:
        since = f"since {at}" if run.state == "running" else f"begun {at}"
        return f"{run.state}, {since} by {run.by}"
    return f"{run.state} {at} in {taken((run.ended - run.began).total_seconds())} by {run.by}"


def _run(run: JobRun) -> dict[str, Any]:
    return {
        "name": run.job,
        "by": run.by,
        "state": str(run.state),
        "began_at": moment(run.began),
        "ended_at": moment(run.ended),
        "error": run.error or None,
    }
