"""The table of shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.chaos.rounds import End, Verdict


def table(verdicts: Sequence[Verdict]) -> str:
    """One line for each kind of kill, and their sum."""
    kinds: dict[str, Counter[End]] = {}
    for verdict in sorted(verdicts, key=lambda each: each.round.kind):
        kinds.setdefault(verdict.round.kind, Counter())[verdict.end] += 1
    total: Counter[End] = Counter(verdict.end for verdict in verdicts)
    head = f"{'kill':<24}{'rounds':>8}" + "".join(f"{end:>16}" for end in End)
    return "\n".join([head, *(_row(kind, counted) for kind, counted in kinds.items()), _row("all", total)])


def _row(kind: str, counted: Counter[End]) -> str:
    rounds = sum(counted.values())
    cells = (f"{counted[end]} ({counted[end] / rounds:.0%})" if counted[end] else "0" for end in End)
    return f"{kind:<24}{rounds:>8}" + "".join(f"{cell:>16}" for cell in cells)
