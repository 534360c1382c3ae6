"""What people are shown of a site: every standing, what waits for backfills, and who is at work. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provision.core.plan import Standings, held_back
from provision.core.standing import Flag, Standing
from provision.errors import ProvisionError, UnreachableError
from provision.flows.connect import Site
from provision.flows.survey import survey
from provision.model import RUN_LOCK, LeaseRecord, StateName

HELD = "held"
OPTIONAL = "optional"
_UNDONE = (StateName.PENDING, StateName.REVERTED)


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """Store → its revisions as they stand, in `standings`. `held`: id → the backfills it waits for.

    `working` is the lease of a run that goes on at this moment, asked for only where something is begun. `unreachable`
    says why a store is not in `standings`; one that has no url in the environment, or is off, is in neither.
    """

    standings: Standings
    held: Mapping[str, tuple[str, ...]]
    working: LeaseRecord | None = None
    unreachable: Mapping[str, ProvisionError] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of all that an `up` has to do, what waits for backfills included, store after store."""
        return tuple(name for of in self.standings.values() for name in of.pending)

    @property
    def applied(self) -> tuple[str, ...]:
        """Ids of all that is applied, store after store."""
        return tuple(name for of in self.standings.values() for name in of.applied)

    @property
    def flagged(self) -> Mapping[str, tuple[Flag, ...]]:
        """Id → what is wrong with it (dirty, changed, unknown, …); empty when everything is as it should be."""
        every = (each for of in self.standings.values() for each in of.standings.values())
        return {each.id: flags for each in every if (flags := self.flags(each))}

    def live(self, each: Standing) -> bool:
        """True when the revision is begun by the run that holds the lease: in progress, not dirty."""
        return bool(self.working and each.state.open and each.state.events[-1].token == self.working.token)

    def state(self, each: Standing) -> str:
        """Its state as people know it.

        One that waits for a backfill is `held`, one of an option that the environment did not choose `optional`.
        """
        if each.revision is not None and each.revision.optional and each.state.name in _UNDONE:
            return OPTIONAL
        begun = each.state.name in (StateName.STARTED, StateName.FAILED)
        return HELD if each.id in self.held and not begun else str(each.state.name)

    def flags(self, each: Standing) -> tuple[Flag, ...]:
        """Its flags in the order of their definition."""
        return tuple(flag for flag in Flag if flag in each.flags and not (flag is Flag.DIRTY and self.live(each)))


def look(site: Site) -> ProjectStatus:
    """Raises RefusedError (ledger-illegal) and UnreachableError."""
    standings = survey(site)
    held = {each.step.id: each.waits_for for each in held_back(site.graph, standings)}
    unreachable = {name: each.error for name, each in site.reached.items() if each.error is not None}
    return ProjectStatus(standings, held, _working(site, standings), unreachable)


def refuse_unknown(site: Site, seen: ProjectStatus) -> None:
    """Raises ConfigError (unknown-backfill) for a backfill that is waited for, and that no file is called after."""
    if seen.held:
        from provision.flows.gate_names import refuse_unknown  # few projects hold a revision back

        refuse_unknown(site.project.root, held_back(site.graph, seen.standings))


def _working(site: Site, standings: Standings) -> LeaseRecord | None:
    """The run lease in force, asked for only when something is begun: it decides between dirty and in progress."""
    if not any(each.state.open for standing in standings.values() for each in standing.standings.values()):
        return None
    home = site.stores.get(site.project.home)
    if home is None or home.leases is None:
        return None
    try:
        holding = home.leases.read(RUN_LOCK)
    except UnreachableError:
        return None
    return holding if holding is not None and holding.expires_in > 0 else None
