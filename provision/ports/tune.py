"""What tuning asks of a store: the optional part `tuning`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from provision.model.tune import Changed, Machine, Setting


class Tuning(Protocol):
    """Holds a server's settings against what suits its machine, and changes them one at a time."""

    def machine(self) -> Machine:
        """What the server can tell of the machine that it runs on. Must write nothing."""

    def settings(self, machine: Machine, given: Mapping[str, str]) -> Sequence[Setting]:
        """Each setting of the profile, with `given` in the place of what it computes. Must write nothing.

        Raises ConfigError (unknown-setting, bad-setting).
        """

    def danger(self, machine: Machine, values: Mapping[str, str]) -> str:
        """Why these settings together are too much for the machine, in words; empty where they are not.

        Of a setting that `values` does not name, what the server has counts.
        """

    def apply(self, settings: Sequence[Setting]) -> Sequence[Changed]:
        """Change them, each on its own and written down before; then let the server read them.

        Raises ConfigError (not-allowed), FailedError (setting-refused).
        """

    def reset(self, names: Sequence[str]) -> tuple[Sequence[Changed], Sequence[str]]:
        """Put back what was there before `apply`, of these or, without names, of all; and the names of those that
        somebody else changed since, which stay. Raises as `apply`.
        """


@runtime_checkable
class Tunable(Protocol):
    """A `Store` whose server has settings."""

    @property
    def tuning(self) -> Tuning: ...
