"""What is moved and by whom: made from a seed, or given by a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from provision.model import Revision
from tests.proof.machine.servers import FENCED, PLAIN


@dataclass(frozen=True, slots=True)
class Layout:
    """Revisions of both stores, their statements by id."""

    revisions: Mapping[str, tuple[Revision, ...]]
    statements: Mapping[str, tuple[str, ...]]

    @property
    def by_id(self) -> dict[str, Revision]:
        return {each.id: each for listed in self.revisions.values() for each in listed}


def layout(counts: Mapping[str, tuple[int, ...]], links: Random, traceless: float = 0.1) -> Layout:
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
    return Layout({store: tuple(listed) for store, listed in made.items()}, statements)


def layout_of(random: Random) -> Layout:
    counts = {store: tuple(random.randint(1, 3) for _ in range(random.randint(1, 3))) for store in (FENCED, PLAIN)}
    return layout(counts, random)
