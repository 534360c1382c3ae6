"""Plans in files, and the revisions of two branches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from provision.core.plan import MoveRequest
from provision.flows.connect import Access
from provision.flows.drafts import filled
from provision.flows.losses import foreseen
from provision.flows.planning import planned
from provision.flows.survey import survey
from provision.model import Direction
from provision.project.opened import Names, Opened, at_least, names
from provision.wiring import files, sites

if TYPE_CHECKING:
    from provision.flows.commutes import Commuting
    from provision.model.plans import SavedPlan
    from provision.wiring.rebase import RebasedFile


class Branching(Opened):
    """What is reviewed before it runs."""

    def save_plan(
        self,
        file: str | Path,
        *targets: str,
        only: Names = (),
        steps: int | None = None,
        out_of_order: bool = False,
    ) -> SavedPlan:
        """What `up` would do, written for `up(plan=FILE)` with all that must not move until then.

        Raises as `plan`, and ConfigError (unwritable-file).
        """
        from provision.wiring import plan_files, saved_plans  # of those who save one alone

        at_least(1, steps=steps)
        wanted = MoveRequest(targets, frozenset(names(only)), steps, out_of_order=out_of_order)
        with self._opened(Access.READ, wanted.only, narrow=Direction.UP) as site:
            made = planned(site, Direction.UP, wanted, self._rules(), survey(site))
            losses = foreseen(site, filled(made.steps))
            described = files.described(replace(made, steps=tuple(filled(made.steps))), site.known)
            told = [replace(each, destructive=tuple(losses.get(each.step.id, ()))) for each in described]
            found = plan_files.saved(site, made, told)
        saved_plans.save(found, Path(file))
        return found

    def saved_plan(self, file: str | Path) -> SavedPlan:
        """A plan that `save_plan` or `plan --out` wrote; reaches no database. Raises ConfigError (plan-invalid)."""
        from provision.wiring import saved_plans

        return saved_plans.read(Path(file))

    def commutes(self, left: str, right: str = "HEAD") -> Commuting:
        """Whether what two branches add leaves the same, whichever is merged first: `commute`, `conflicts`, `renumber`.

        Reads the files alone, as they are committed. Raises ConfigError (bad-reference, missing-extra, what is wrong
        in the files of a branch).
        """
        from provision.wiring import branches

        return branches.commuting(self.root, f"{left}..{right}")

    def rebase(self, onto: str, *, dry_run: bool = False) -> tuple[RebasedFile, ...]:
        """Put the revisions that this branch adds behind those of `onto`; the files that were, or would be, written.

        Raises RefusedError (already-applied) where one of them is applied in the environment, ConfigError
        (bad-reference, bad-header, unwritable-file).
        """
        from provision.wiring import rebase

        with sites.masked(self._environment):
            found = rebase.rebase(self.root, onto)
        moved = [each.moved for each in found if each.moved is not None]
        if moved:
            with self._opened(Access.READ) as site:
                rebase.refuse_applied(site, moved)
        if not dry_run:
            rebase.write(found)
        return tuple(found)
