"""One rehearsal: lint, up, down and up on engines that are thrown away, then checks and backfills."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from provision import settings
from provision.errors import ConfigError, FailedError, Interrupted, ProvisionError
from provision.flows import forecast, predictions, rehearsal
from provision.model import Began, Direction, Done, Failure, RunEvent, Severity, Step
from provision.model.lint import LintFinding
from provision.project.opened import Names, names
from provision.run import Stop
from provision.wiring import changes, snapshots, trials

if TYPE_CHECKING:
    from provision.core.graph import Graph
    from provision.flows.rehearsal import Rehearsal, Snapshots
    from provision.model.stats import EnvironmentStats
    from provision.project import Project
    from provision.project.moving import Listener


class RehearsalScope(NamedTuple):
    """What is rehearsed: `since` a commit, only what is new since; `above` these revisions, only what is not needed by
    them. `write` keeps the snapshots. `stats` are of the environments that a forecast is wanted for."""

    write: bool = False
    since: str | None = None
    above: Names = ()
    stats: Sequence[EnvironmentStats] = ()


class Played:
    """What was seen of the moves: how long each step took the first time, those that failed or were passed by."""

    def __init__(self, on_event: Listener, stop: Stop) -> None:
        self._on_event, self.stop = on_event, stop
        self.took: dict[Step, int] = {}
        self.failed: list[Failure] = []
        self.skipped: dict[str, str] = {}
        self.trials: trials.Trials | None = None
        self._tried: dict[Step, int] = {}

    def told(self, event: RunEvent) -> None:
        if isinstance(event, Began) and self.trials is not None and event.step.direction is Direction.UP:
            began = time.monotonic()
            self.trials.before(event.step.revision)
            self._tried[event.step] = round((time.monotonic() - began) * 1000)
        elif isinstance(event, Done):
            if event.skipped:
                self.skipped[event.step.id] = event.skipped
            else:
                # A step begins before its listener has heard of it, and so before it was tried.
                self.took.setdefault(event.step, max(event.duration_ms - self._tried.pop(event.step, 0), 0))
        elif isinstance(event, Failure):
            self.failed.append(event)
        self._on_event(event)


class RehearsalRun:
    """Moves a project whose databases are thrown away, and says what was found."""

    def __init__(
        self,
        project: Project,
        file: settings.ProjectFile,
        environment: settings.Environment,
        engines: Collection[str],
        scope: RehearsalScope,
        played: Played,
    ) -> None:
        self._project, self._file, self._environment = project, file, environment
        self._engines, self._scope, self._played = engines, scope, played
        self._findings: list[LintFinding] = []
        self._left_out: dict[str, str] = {}
        self._since = changes.since(project.root, scope.since) if scope.since else None

    def run(self) -> Rehearsal:
        """Raises ConfigError and Interrupted; what is wrong with a revision is a finding."""
        found = self._lint()
        try:
            graph = self._project.graph()
        except ConfigError:
            if any(each.severity is Severity.ERROR for each in self._findings):
                return rehearsal.Rehearsal(tuple(self._findings), left_out=self._left_out)
            raise
        kept = tuple(self._kept(graph))
        top = self._moved(graph, kept, found)
        seen = found.seen if found else {}
        judged = tuple(predictions.judged(self._findings, trials.predicts(self._findings), seen))
        for each in graph.order:
            if found is not None and each.path in seen:
                allowed = found.allowed(each)
                self._findings += predictions.rewrites(each, seen[each.path], tuple(self._findings), allowed)
        self._left_out |= {name: "no engine of its own" for name in self._project.stores if name not in self._engines}
        self._left_out |= self._played.skipped
        by_id = {each.id: seen[each.path] for each in graph.order if each.path in seen}
        revisions = rehearsal.timed(graph, self._played.took)
        costs = found.costs if found else {}
        return rehearsal.Rehearsal(
            tuple(self._findings),
            revisions,
            tuple(rehearsal.heads(graph, graph.needs(kept))) if kept else (),
            self._left_out,
            {name: len(each) for name, each in top.items()},
            by_id,
            judged,
            tuple(each for stats in self._scope.stats for each in forecast.forecasts(revisions, costs, stats)),
        )

    def _lint(self) -> trials.Trials | None:
        try:
            report, scripts = trials.linted_project(self._file, self._environment.name, self._since)
        except ConfigError as error:
            if error.code != "missing-extra":
                raise
            self._left_out["lint"] = "the extra `lint` is not installed: no statement was read, no lock was looked at"
            return None
        self._findings += report.findings
        return trials.Trials(self._file, self._environment, scripts, self._scope.stats)

    def _kept(self, graph: Graph) -> Iterator[str]:
        """Revisions that stay applied, with what they stand on."""
        given = names(self._scope.above)
        for each in given:
            if each not in graph.revisions:
                what, fix = f"no revision is called {each}", "`provision status --all` lists the ids"
                raise ConfigError("no-such-revision", what, where="--from", fix=fix)
        yield from given
        yield from rehearsal.irreversible(graph)
        if self._since is not None:
            base = [each for each in graph.order if each.path not in self._since.new and not each.repeatable]
            yield from rehearsal.heads(graph, [each.id for each in base if not each.optional])

    def _moved(self, graph: Graph, kept: Sequence[str], found: trials.Trials | None) -> Snapshots:
        root, played = self._project.root, self._played
        top: Snapshots = {}
        try:
            if kept:
                self._up(*kept)
            base = self._look()
            played.trials = found
            try:
                self._up()
            finally:
                played.trials = None
                if found is not None:
                    found.close()
            top = self._look()
            self._down_to(rehearsal.heads(graph, graph.needs(kept)))
            self._findings += rehearsal.after_down(graph, root, base, self._look())
            self._up()
            self._findings += rehearsal.after_second_up(graph, root, top, self._look())
            self._rows(found)
        except Interrupted:
            raise
        except FailedError as error:
            self._findings += rehearsal.failures(played.failed, error)
        else:
            if self._scope.write:
                snapshots.write(root, top)
            self._findings += rehearsal.against_files(graph, root, snapshots.read(root), top)
        return top

    def _up(self, *targets: str) -> None:
        played = self._played
        self._project.up(*targets, allow_destructive=True, on_event=played.told, stop=played.stop)

    def _look(self) -> Snapshots:
        self._played.stop.check()
        return snapshots.taken(self._file, self._environment, self._engines)

    def _down_to(self, heads: Sequence[str]) -> None:
        """Revert all but what the heads stand on."""
        kept = {each.split("/", 1)[0] for each in heads}
        whole = [name for name in self._project.stores if name in self._engines and name not in kept]
        told, stop = self._played.told, self._played.stop
        if whole:
            self._project.down(
                everything=True, only=whole, allow_destructive=True, cascade=True, on_event=told, stop=stop
            )
        if heads:
            self._project.down(*heads, allow_destructive=True, cascade=True, on_event=told, stop=stop)

    def _rows(self, found: trials.Trials | None) -> None:
        """Make every check and run every backfill once, on rows of the revisions and some more."""
        self._played.stop.check()
        if found is not None:
            found.fill(self._engines)
        for each in self._project.backfills() if (self._project.root / "backfills").is_dir() else ():
            self._played.stop.check()
            if each.store not in self._engines:
                continue
            try:
                self._project.backfill(each.name, stop=self._played.stop)
            except Interrupted:
                raise
            except ProvisionError as error:
                self._findings += rehearsal.of_backfill(each, error)
        if (self._project.root / "checks").is_dir():
            self._findings += rehearsal.of_checks(self._project.validate(keep_results=False, samples=0))
