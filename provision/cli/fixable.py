"""Which revision files `lint --fix` may change: those that nobody has applied."""

from __future__ import annotations

import sys

from provision.cli import site
from provision.cli.render.paper import Paper
from provision.flows.connect import Access
from provision.flows.survey import survey
from provision.wiring.changes import Changes


def files(env: str | None, changed: Changes) -> frozenset[str]:
    """The files that the base branch does not have and that no database of the environment has begun to apply.

    Says which are left as they are, and why. Raises ConfigError, UnreachableError.
    """
    begun: dict[str, str] = {}
    with site.opened(env, Access.READ, tolerant=True) as opened:
        standings = survey(opened)
        for name, reached in opened.reached.items():
            standing = standings.get(name)
            for each in reached.store.revisions():
                found = standing.standings.get(each.id) if standing is not None else None
                if standing is None:
                    begun[each.path] = f"{name} is not reached, which may have applied it"
                elif found is not None and (found.applied or found.state.open):
                    begun[each.path] = f"{opened.environment.name} has applied it, or begun to"
    paper = Paper(sys.stderr)
    for file in sorted(changed.new & begun.keys()):
        paper.write(f"{file} is left as it is: {begun[file]}")
    return changed.new - begun.keys()
