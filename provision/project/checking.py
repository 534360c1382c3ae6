"""Data checks: made now, and what earlier ones found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

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
        since: datetime | None = None,
        until: datetime | None = None,
        tenant: str | None = None,
        samples: int = 5,
        timeout: float = 300.0,
        keep_results: bool = True,
    ) -> Validation:
        """Check the data against the suites of `checks/`, all of them unless some are named. Reads only.

        `checks` are names of checks, * stands for any; `since` and `until` narrow the rows by time, UTC where they
        have no zone; `samples` is the most bad rows shown of one check, `timeout` the seconds of one statement. Results
        are kept in the home store unless `keep_results` is false.

        A check that fails is a result, not an error: see `Validation.fails`. Raises ConfigError (unknown-suite,
        no-such-check, all that an engine refuses in a suite), UnreachableError.
        """
        from provision.wiring.validation import validated

        at_least(0, samples=samples)
        patterns, since, until = names(checks), _utc(since), _utc(until)
        scope = Scope(since, until, tenant, timeout, _label(since, until, tenant, patterns))
        return validated(self._project, self._environment, suites, patterns, scope, samples, keep=keep_results)[0]

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


def _label(since: datetime | None, until: datetime | None, tenant: str | None, patterns: Sequence[str]) -> str:
    """What was asked for in words: only runs over the same rows are compared."""
    parts = {
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
        "tenant": tenant,
        "only": ", ".join(patterns),
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)
