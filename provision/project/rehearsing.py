"""`verify` and `drift`: every revision rehearsed up, down and up; a database beside what it should be made of."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision.errors import CapabilityMissing, ConfigError
from provision.model.diagram import Diagram
from provision.model.stats import EnvironmentStats
from provision.project.engines import Engines
from provision.project.listening import ignored
from provision.project.moving import Listener, Moving
from provision.project.opened import Names, names
from provision.project.reading import Reading
from provision.run import Stop
from provision.wiring import sites

if TYPE_CHECKING:
    from provision.flows.rehearsal import Drift, Rehearsal


class Rehearsing(Moving, Reading, Engines):
    """Rehearses migrations on throw-away engines, and compares databases with snapshots."""

    def verify(
        self,
        *,
        write: bool = False,
        changed_since: str | None = None,
        above: Names = (),
        stats: Sequence[str | Path] = (),
        on_event: Listener = ignored,
        stop: Stop | None = None,
    ) -> Rehearsal:
        """Lint; apply everything on engines that are thrown away, revert it, apply it again, and compare what is there.

        The environment must be an embedded one, whose own engines are not touched, or have urls of databases that hold
        nothing; they are reverted at the end. Revisions that say they have no way
        down, and those that they stand on, stay when the rest is reverted; so do those that `above` names
        (`store/number`), and with `changed_since`, a commit, all that is not new since. Before it is applied, each
        revision is tried on tables with rows. Then every backfill and check is made once. `write` keeps what the
        revisions make as the snapshots in `schema/`, for `drift`; without it they must say the same. `stats` are files
        that `stats()` of other environments wrote: `forecasts` then say how long each revision will take there.

        `stop` ends it after the statement in hand, its engines too.

        Raises ConfigError (not-embedded, bad-reference, …) and Interrupted; what is wrong with a revision is a finding.
        """
        from provision.project.rehearsal_run import Played, RehearsalRun, RehearsalScope
        from provision.wiring.stats import read

        scope = RehearsalScope(write, changed_since, above, [read(Path(each)) for each in stats])
        served, played = self._servers(), Played(on_event, stop or Stop())
        with tempfile.TemporaryDirectory(prefix="provision-verify-") as folder:
            project = replace(self._project, engines=Path(folder) / "engines")
            elsewhere: Any = type(self)(project, self._environment, self._variables, self._wait_for)
            try:
                engines = {*served, *(each.store for each in elsewhere.start_engines())}
                found = RehearsalRun(elsewhere, project, self._environment, engines, scope, played).run()
                if served:
                    elsewhere.down(everything=True, only=tuple(served), cascade=True, allow_destructive=True)
                return found
            finally:
                elsewhere.reset_engines()

    def stats(self, out: str | Path | None = None, *, only: Names = ()) -> EnvironmentStats:
        """How much every store of the environment holds, how fast its server is, and how long each applied revision
        took, by the ledgers. No row is read. `out` is a file to keep it in, for `verify`.

        What a server does not tell is None, a store that tells nothing is in `not_told`. Raises UnreachableError,
        ConfigError (unwritable-file, …).
        """
        from provision.wiring import stats as statistics

        wanted = [name for name in names(only) or self.stores if not self._environment.places[name].off]
        status = self.status(only=tuple(wanted))
        with sites.masked(self._environment):
            stores, silent = statistics.taken(self._project, self._environment, wanted)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        found = EnvironmentStats(self.name, self.env, at, stores, statistics.applied(status), silent)
        if out is not None:
            statistics.write(Path(out), found)
        return found

    def diagrams(self, *, only: Names = ()) -> Mapping[str, Diagram]:
        """Store → its tables and what refers to what, of the kinds that have such; databases are only read.

        Raises ConfigError (capability-missing for one that is named and has none), UnreachableError.
        """
        from provision.wiring import snapshots

        wanted = [name for name in names(only) or self.stores if not self._environment.places[name].off]
        with sites.masked(self._environment):
            found = snapshots.diagrams(self._project, self._environment, wanted)
        for name in names(only):
            if name not in found:
                raise CapabilityMissing(name, "diagram", "it has no tables that refer to others", "leave --only out")
        return found

    def drift(self, *, only: Names = (), accept: str | None = None) -> Drift:
        """What the databases have otherwise than the snapshots in `schema/` say, which `verify` writes.

        With `accept`, a message, what differs becomes the next revision of its store, which makes it elsewhere and
        finds it made here, and the snapshots say so; what no statement makes stays a difference. The databases are
        only read.

        Raises ConfigError (no-snapshot, bad-snapshot, …), UnreachableError.
        """
        from provision.flows import rehearsal
        from provision.wiring import snapshots

        with sites.masked(self._environment):
            wanted = [name for name in names(only) or self.stores if not self._environment.places[name].off]
            written = snapshots.read(self.root)
            missing = [name for name in wanted if name not in written]
            if missing and (names(only) or len(missing) == len(wanted)):
                what = f"there is no snapshot of {', '.join(missing)}"
                fix = "run `provision verify --write`"
                raise ConfigError("no-snapshot", what, where=f"{snapshots.FOLDER}/{missing[0]}.json", fix=fix)
            compared = [name for name in wanted if name in written]
            live = snapshots.taken(self._project, self._environment, compared)
            expected = {name: written[name] for name in compared}
            back = snapshots.changes(self._project, live, expected)
            findings = tuple(rehearsal.drifted(self.graph(), self.root, expected, live, back))
            files = snapshots.accept(self._project, expected, live, accept) if accept and findings else ((), ())
        counts = {name: len(each) for name, each in expected.items()}
        left_out = tuple(name for name in wanted if name not in written)
        differing = tuple(rehearsal.differences(expected, live))
        return rehearsal.Drift(findings, counts, left_out, *files, differing)

    def _servers(self) -> list[str]:
        """The stores with a url, whose databases hold nothing. Raises ConfigError (not-embedded), UnreachableError."""
        from provision.wiring import snapshots

        places = self._environment.places
        served = [name for name, place in places.items() if place.url is not None and not place.off]
        with sites.masked(self._environment):
            full = snapshots.full(self._project, self._environment, served) if served else []
        if not full and (served or self._environment.embedded):
            return served
        whose = f"the databases of {', '.join(full)} are not empty" if full else "there are none"
        what = f"`verify` reverts all that it finds in {self.env}, and {whose}"
        where = f"[environments.{self.env}] {', '.join(full)}".rstrip()
        fix = "name an environment with `embedded = true` and no urls, or give it urls of empty databases"
        raise ConfigError("not-embedded", what, where=where, fix=fix)
