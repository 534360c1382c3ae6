"""`python -m tests.proof`: the proof of the run protocol, printed. Exit code 1: something is broken.

First whether the model sees what is wrong, then the models, then schedules of the real core. `--ci` is what every
commit has time for; `--replay SEED` plays one schedule again and prints what happened in it.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from tests.proof.invariants import all_checked
from tests.proof.machine.campaign import PART, campaign, replay, side_by_side
from tests.proof.model.bad import blind
from tests.proof.model.checks import CHECKS
from tests.proof.model.search import explore, prove
from tests.proof.model.sizes import LARGE, SMALL, SWITCHES

WHOLE, IN_CI = 100_000, 2_000  # schedules
LONGEST = 3000.0  # seconds that schedules may take; with the models, less than an hour


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__.splitlines()[0])
    parser.add_argument("--ci", action="store_true", help="the small models and fewer schedules")
    parser.add_argument("--schedules", type=int, metavar="N", help="only so many schedules, and no model")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the seed of the first schedule")
    parser.add_argument("--replay", type=int, metavar="SEED", help="play one schedule again and print it")
    asked = parser.parse_args(arguments)
    if asked.replay is not None:
        told = replay(asked.replay)
        print(told)
        return int("broken: " in told)
    if asked.schedules is None and not _sees():
        return 1
    right = asked.schedules is not None or _models(ci=asked.ci)
    wanted = asked.schedules if asked.schedules is not None else IN_CI if asked.ci else WHOLE
    play = campaign if wanted <= PART else side_by_side
    played = play(wanted, asked.seed, seconds=LONGEST, tell=partial(print, flush=True))
    print(played)
    if missing := wanted - played.schedules:
        print(f"not every schedule was played: time was up, {missing} are missing")
    return int(not right or bool(played.broken or missing))


def _sees() -> bool:
    """Whether the model sees what is wrong: in a bad state for each invariant, and where a mend is switched off."""
    all_checked(CHECKS)
    missed = [f"{name} finds nothing wrong in a state that breaks it" for name in blind()]
    for switch, (settings, invariant) in () if missed else SWITCHES.items():
        found = explore(settings._replace(off=frozenset({switch})), {invariant: CHECKS[invariant]})
        if found.broken:
            print(f"model without {switch}: {invariant} is broken after {found.depth} steps", flush=True)
        else:
            missed.append(f"without {switch} nothing is broken, and {invariant} should be")
    for each in missed:
        print(f"model: {each}", flush=True)
    return not missed


def _models(*, ci: bool) -> bool:
    right = True
    for found in prove(SMALL if ci else (*SMALL, *LARGE)):
        print(found, flush=True)
        right = right and not found.broken
    return right


if __name__ == "__main__":
    sys.exit(main())
