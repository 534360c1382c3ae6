"""What people are shown of a site: every standing, what waits for backfills, and who is at work. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.core.plan import Standings, held_back
from provision.core.standing import Flag, Standing
from provision.errors import UnreachableError
from provision.flows.connect import Site
from provision.flows.survey import survey
from provision.model import Holding, StateName

HELD = "held"


@dataclass(frozen=True, slots=True)
class Look:
    """`held`: id → the backfills it waits for. `working` is the lease of a run that goes on at this moment."""

    standings: Standings
    held: Mapping[str, tuple[str, ...]]
    working: Holding | None = None

    def live(self, each: Standing) -> bool:
        """True when the revision is begun by the run that holds the lease: in progress, not dirty."""
        return bool(self.working and each.state.open and each.state.events[-1].token == self.working.token)

    def state(self, each: Standing) -> str:
        """Its state as people know it; one that waits for a backfill is `held`."""
        begun = each.state.name in (StateName.STARTED, StateName.FAILED)
        return HELD if each.id in self.held and not begun else str(each.state.name)

    def flags(self, each: Standing) -> tuple[Flag, ...]:
        """Its flags in the order of their definition."""
        return tuple(flag for flag in Flag if flag in each.flags and not (flag is Flag.DIRTY and self.live(each)))


def look(site: Site) -> Look:
    """Raises RefusedError (ledger-illegal) and UnreachableError."""
    standings = survey(site)
    held = {each.step.id: each.waits_for for each in held_back(site.graph, standings)}
    return Look(standings, held, _working(site, standings))


def _working(site: Site, standings: Standings) -> Holding | None:
    """The run lease in force, asked for only when something is begun: it decides between dirty and in progress."""
    if not any(each.state.open for standing in standings.values() for each in standing.standings.values()):
        return None
    home = site.stores.get(site.project.home)
    if home is None or home.leases is None:
        return None
    try:
        holding = home.leases.read("run")
    except UnreachableError:
        return None
    return holding if holding is not None and holding.expires_in > 0 else None
