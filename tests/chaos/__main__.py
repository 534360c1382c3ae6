"""python -m tests.chaos [--seeded N] [--rounds N] [--seed S] [--only KIND] [--round KIND/N] [--minutes M]

Exit code 0 when every round finished and none was dirty, 1 otherwise, 130 after Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time

from tests.chaos.campaign import Campaign, all_rounds, sample
from tests.chaos.rounds import End, Round, Verdict
from tests.chaos.table import table


def main() -> int:
    """Play the rounds, print the shares."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()

    def happened(verdict: Verdict) -> None:
        if verdict.end in (End.DIRTY, End.FAILED):
            print(f"{verdict.end} {verdict.round.name} --seed {asked.seed}\n{verdict.told}\n", flush=True)
        elif asked.verbose:
            spent = f"{time.monotonic() - began:6.1f} s"
            this = verdict.round
            print(f"{spent}  {verdict.end:<8} {this.name:<28} {this.point}  {verdict.saw}", flush=True)

    def choose(points: dict[bool, list[str]]) -> list[Round]:
        rounds = all_rounds(points, asked.rounds)
        if asked.round:
            return [each for each in rounds if each.name == asked.round]
        rounds = [each for each in rounds if each.kind.startswith(asked.only)]
        return sample(rounds, asked.seeded, asked.seed) if asked.seeded else rounds

    campaign = Campaign(asked.seed, asked.minutes * 60, happened)
    try:
        campaign.run(choose)
    except KeyboardInterrupt:
        print(f"{table(campaign.verdicts)}\nstopped", flush=True)
        return 130
    return _close(campaign, asked.seed, time.monotonic() - began)


def _close(campaign: Campaign, seed: int, seconds: float) -> int:
    print(table(campaign.verdicts))
    bad = [each for each in campaign.verdicts if each.end in (End.DIRTY, End.FAILED)]
    for each in bad:
        print(f"again: python -m tests.chaos --seed {seed} --round {each.round.name}")
    for error in campaign.errors:
        print(f"error: {error}")
    if campaign.stopped_early:
        print("not every round was played: time was up")
    print(f"seed {seed}, {seconds:.0f} s")
    return 1 if bad or campaign.errors or campaign.stopped_early or not campaign.verdicts else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description="Kill runs and engines; see what is left."
    )
    parser.add_argument("--seeded", type=int, default=0, metavar="N", help="only N rounds, evenly over the kinds")
    parser.add_argument(
        "--rounds", type=int, default=100, metavar="N", help="random instants of each command, up and down"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--only", default="", metavar="KIND", help="such as 'boundary up', 'random' or 'engine redis'")
    parser.add_argument("--round", default="", metavar="KIND/N", help="one round, as a failure names it")
    parser.add_argument("--minutes", type=float, default=180.0, metavar="M", help="stop after this long")
    parser.add_argument("--verbose", "-v", action="store_true", help="a line for every round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
