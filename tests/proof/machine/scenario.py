"""What is moved and by whom: made from a seed, or given by a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from provision.model import Direction, Revision, Step
from tests.proof.machine.servers import FENCED, PLAIN

LANES, ALONE = 0.5, 0.4  # shares of schedules, and of the revisions of a lane


@dataclass(frozen=True, slots=True)
class Layout:
    """Revisions of both stores, their statements by id.

    `lane`: the store with a fence commits a revision, its version and its entry in one transaction, but for those
    `alone`, each statement of which commits by itself.
    """

    revisions: Mapping[str, tuple[Revision, ...]]
    statements: Mapping[str, tuple[str, ...]]
    lane: bool = False
    alone: frozenset[str] = frozenset()

    @property
    def by_id(self) -> dict[str, Revision]:
        return {each.id: each for listed in self.revisions.values() for each in listed}

    def texts(self, step: Step) -> tuple[str, ...]:
        """The statements of a step; on the way down what was made is dropped, the last one first."""
        made = self.statements[step.id]
        return made if step.direction is Direction.UP else tuple(f"-{text[1:]}" for text in reversed(made))

    def above(self, revision: str) -> list[str]:
        """The revisions that require it."""
        return [each.id for each in self.by_id.values() if revision in each.requires]


def layout(
    counts: Mapping[str, tuple[int, ...]], links: Random, traceless: float = 0.1, *, lane: bool = False
) -> Layout:
    """`counts` says for each store how many statements each of its revisions has.

    A revision requires, now and then, one of the other store that comes before it.
    """
    order = sorted((number, store) for store, sizes in counts.items() for number in range(len(sizes)))
    made: dict[str, list[Revision]] = {FENCED: [], PLAIN: []}
    statements: dict[str, tuple[str, ...]] = {}
    for number, store in order:
        other = made[PLAIN if store == FENCED else FENCED]
        requires = (links.choice(other).id,) if other and links.random() < 0.5 else ()
        parents = (made[store][-1].id,) if made[store] else ()
        name = f"{number + 1:03}"
        revision = Revision(store, name, "x", "x", f"{store}/{name}", f"c{name}", parents=parents, requires=requires)
        made[store].append(revision)
        # What leaves no trace is asked of the store without fence alone: there it can be in flight.
        statements[revision.id] = tuple(
            f"{'~' if store == PLAIN and links.random() < traceless else '+'}{store}{number}{place}"
            for place in range(counts[store][number])
        )
    alone = frozenset(each.id for each in made[FENCED] if lane and links.random() < ALONE)
    return Layout({store: tuple(listed) for store, listed in made.items()}, statements, lane, alone)


def layout_of(random: Random) -> Layout:
    counts = {store: tuple(random.randint(1, 3) for _ in range(random.randint(1, 3))) for store in (FENCED, PLAIN)}
    return layout(counts, random, lane=random.random() < LANES)
