"""Tries revisions on throw-away engines, before they are applied there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provision import kinds, settings
from provision.flows.connect import placed
from provision.flows.lint import LintReport, LintScope, StoreScripts, linted
from provision.lint.suppress import read
from provision.model import Revision, StoreOptions
from provision.model.lint import LintFinding, Script
from provision.model.stats import EnvironmentStats, RevisionCost, StoreStats
from provision.model.trial import RevisionSeen
from provision.ports.lint import TrialSession
from provision.wiring import changes, lint, local_engines


class Trials:
    """What the revisions of an environment were seen to do; `seen` is by file, `costs` by the revision's id.

    `stats` are those of the environments that a forecast is wanted for.
    """

    def __init__(
        self,
        project: settings.ProjectFile,
        environment: settings.Environment,
        scripts: Iterable[StoreScripts],
        stats: Sequence[EnvironmentStats] = (),
    ) -> None:
        self.seen: dict[str, RevisionSeen] = {}
        self.costs: dict[str, RevisionCost] = {}
        self._stats = stats
        self._project, self._environment = project, environment
        self._options = {each.name: each for each in placed(project, environment)}
        self._predict = {each.rule.name for each in lint.every_rule() if each.rule.predicts}
        self._scripts = {script.file: script for each in scripts for script in each.scripts}
        self._sessions: dict[str, TrialSession | None] = {}

    def close(self) -> None:
        """End the sessions that tried."""
        for each in filter(None, self._sessions.values()):
            each.close()
        self._sessions.clear()

    def before(self, revision: Revision) -> None:
        """Try a revision that is about to be applied. Raises UnreachableError."""
        script, options = self._scripts.get(revision.path), self._options.get(revision.store)
        session = self._session(options) if options is not None else None
        if script is not None and session is not None:
            self.seen[revision.path] = session.tried(script)
        if script is not None and options is not None and any(revision.id not in each.applied for each in self._stats):
            self._measure(revision, script, options)

    def _session(self, options: StoreOptions) -> TrialSession | None:
        if options.name not in self._sessions:
            part = kinds.named(options.kind, options.name).trial()
            url = local_engines.url(self._project, self._environment, options.name)
            self._sessions[options.name] = part.session(options, url) if part is not None else None
        return self._sessions[options.name]

    def _measure(self, revision: Revision, script: Script, options: StoreOptions) -> None:
        part = kinds.named(options.kind, options.name).costs()
        if part is None:
            return
        rows: dict[str, int] = {}
        for each in self._stats:
            for name, table in each.stores.get(options.name, StoreStats()).tables.items():
                rows[name] = max(rows.get(name, 0), table.rows or 0)
        url = local_engines.url(self._project, self._environment, options.name)
        found = part.cost(options, url, script, rows)
        if found is not None:
            self.costs[revision.id] = found

    def allowed(self, revision: Revision) -> list[tuple[int, int]]:
        """First and last lines of a file where a comment allows what a rule predicts."""
        script = self._scripts.get(revision.path)
        comments = read(script) if script is not None else []
        return [span for each in comments if each.reason and each.rule in self._predict for span in each.spans]

    def fill(self, stores: Iterable[str]) -> int:
        """Put rows into the empty tables of these stores; how many tables have some. Raises UnreachableError."""
        filled = 0
        for name in set(stores) & set(self._options):
            options = self._options[name]
            part = kinds.named(options.kind, options.name).trial()
            if part is not None:
                filled += part.fill(options, local_engines.url(self._project, self._environment, name))
        return filled


def linted_project(
    project: settings.ProjectFile, environment: str, since: changes.Changes | None
) -> tuple[LintReport, list[StoreScripts]]:
    """What lint finds in all files, and the files as it parsed them.

    Raises ConfigError (missing-extra where the extra `lint` is not installed, …).
    """
    found, wrong = lint.of_project(project, ())
    levels = lint.levels(project.lint_levels(environment), str(project.file))
    scope = LintScope(levels) if since is None else LintScope(levels, since.files, since.edited)
    return linted(found, scope, wrong), found


def predicts(findings: Iterable[LintFinding]) -> dict[str, str]:
    """Rule → what it predicts, of those that found something."""
    named = {each.rule for each in findings}
    return (
        {each.rule.name: each.rule.predicts for each in lint.every_rule() if each.rule.name in named} if named else {}
    )
