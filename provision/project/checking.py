"""Data checks: made now, and what earlier ones found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from provision.errors import ConfigError
from provision.model.checks import Scope, StoredResult
from provision.project.opened import Names, Opened, at_least, names

if TYPE_CHECKING:
    from provision.flows.validate import Validation


class Checking(Opened):
    """Looks at rows. What checks need is imported when they are asked for."""

    def validate(
        self,
        *suites: str,
        checks: Names = (),
        tags: Names = (),
        since: datetime | Literal["last"] | None = None,
        until: datetime | None = None,
        tenant: str | None = None,
        samples: int = 5,
        timeout: float = 300.0,
        keep_results: bool = True,
        compare: bool = False,
    ) -> Validation:
        """Check the data against the suites of `checks/`, all of them unless some are named. Reads only.

        `checks` are names of checks, * stands for any, `tags` those that a check must have one of; `since` and `until`
        narrow the rows by time, UTC where they have no zone, `since="last"` to those that are later than the last run
        of these suites; `samples` is the most bad rows shown of each, `timeout` the seconds of one statement. Results
        are kept in the home store unless `keep_results` is false. `compare`: with figures of the run before.

        The hooks of the environment hear of it as on the command line; one that failed is in `Validation.notes`.
        A check that fails is a result, not an error: see `Validation.fails`. Raises ConfigError (unknown-suite,
        no-such-check, all that an engine refuses in a suite), UnreachableError, CapabilityMissing (`since="last"`
        where no results are kept).
        """
        from provision.wiring.hooks import checked_hooks
        from provision.wiring.validation import validated

        at_least(0, samples=samples)
        last, noted = since == "last", list[str]()
        if isinstance(since, str) and not last:
            raise ConfigError("usage", f"since is {since}", where="since", fix='give a datetime, or "last"')
        patterns, begin, until = names(checks), None if isinstance(since, str) else _utc(since), _utc(until)
        said = "last" if last else begin.isoformat() if begin else None
        scope = Scope(begin, until, tenant, timeout, _label(said, until, tenant, patterns, names(tags)))
        asked = (self._project, self._environment, suites, patterns, scope, samples)
        with checked_hooks(self._project, self._environment, suites, noted.append) as ended:
            found, _ = validated(*asked, keep=keep_results, tags=names(tags), since_last=last, compare=compare)
            ended(found, fails=found.fails())
        return replace(found, notes=(*found.notes, *noted))

    def validation_history(
        self, check: str | None = None, *, suite: str | None = None, since: datetime | None = None, limit: int = 200
    ) -> tuple[StoredResult, ...]:
        """What earlier validations of this environment found, oldest first, without samples; at most `limit` results.

        Raises ConfigError, CapabilityMissing where the home store keeps none, UnreachableError.
        """
        from provision.wiring.validation import kept

        at_least(1, limit=limit)
        return tuple(kept(self._project, self._environment, suite, check, _utc(since), limit))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _label(
    since: str | None, until: datetime | None, tenant: str | None, patterns: Sequence[str], tags: Sequence[str]
) -> str:
    """What was asked for in words: only runs over the same rows are compared."""
    parts = {
        "since": since,
        "until": until.isoformat() if until else None,
        "tenant": tenant,
        "only": ", ".join(patterns),
        "tag": ", ".join(tags),
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)
