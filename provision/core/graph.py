"""The order of all revisions of all stores: parents within a store, requires across them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from provision.errors import ConfigError, ProvisionError, raise_all
from provision.model import Direction, Revision
from provision.text.nearest import alike

BACKFILL = "backfill/"


class Graph:
    """Every revision on disk, checked and ordered.

    Raises ConfigError (duplicate-id, missing-parent, missing-requirement, two-heads, cycle), all at once.
    """

    def __init__(self, revisions: Iterable[Revision], many_heads: Iterable[str] = ()) -> None:
        listed = list(revisions)
        self.revisions: dict[str, Revision] = {revision.id: revision for revision in listed}
        lost = list(self._lost_parents())
        # A store that lacks a parent shows more heads than it has.
        unsure = {revision.store for revision, _ in lost}
        raise_all(
            [*_duplicates(listed), *map(_lost, lost), *self._missing(), *self._forked(frozenset(many_heads) | unsure)]
        )
        self.order: tuple[Revision, ...] = tuple(self._ordered(listed))
        self.position: Mapping[str, int] = {revision.id: place for place, revision in enumerate(self.order)}

    def here(self, forgoes: Mapping[str, frozenset[str]], optional: frozenset[str]) -> Graph:
        """The graph of an environment: each store without what it requires of those that it `forgoes` there, and the
        revisions marked that are `optional` there.
        """
        if not optional and not any(forgoes.values()):
            return self
        made = copy(self)
        made.order = tuple(
            _here(each, forgoes.get(each.store, frozenset()), each.id in optional) for each in self.order
        )
        made.revisions = {each.id: each for each in made.order}
        return made

    def stands_on(self, revision: Revision) -> tuple[str, ...]:
        """What must be applied before the revision, with what stands before it in place of an optional one."""
        found: list[str] = []
        for edge in edges(revision):
            before = self.revisions.get(edge)
            found += self.stands_on(before) if before is not None and before.optional else (edge,)
        return tuple(dict.fromkeys(found))

    def of(self, store: str) -> tuple[Revision, ...]:
        return tuple(revision for revision in self.order if revision.store == store)

    def heads(self, store: str) -> tuple[str, ...]:
        """Full ids of the revisions that nothing of the same store follows."""
        mine = [revision for revision in self.of(store) if not revision.repeatable]
        followed = {parent for revision in mine for parent in revision.parents}
        return tuple(revision.id for revision in mine if revision.id not in followed)

    def needs(self, ids: Iterable[str]) -> frozenset[str]:
        """The ids and everything they stand on, through parents and requires."""
        return _closure(ids, lambda each: edges(self.revisions[each]) if each in self.revisions else ())

    def dependents(self, ids: Iterable[str]) -> frozenset[str]:
        """The ids and everything that stands on them."""
        above: dict[str, list[str]] = {}
        for revision in self.order:
            for edge in edges(revision):
                above.setdefault(edge, []).append(revision.id)
        return _closure(ids, lambda each: above.get(each, ()))

    def stores_for(self, stores: Iterable[str], direction: Direction) -> frozenset[str] | None:
        """The stores that a move of these alone must know: what they stand on, and downwards what stands on them.

        None where a backfill is waited for: it may be of any store.
        """
        wanted = frozenset(stores)
        ids = [revision.id for revision in self.order if revision.store in wanted]
        linked = self.needs(ids) | (self.dependents(ids) if direction is Direction.DOWN else frozenset())
        if any(each.startswith(BACKFILL) for each in linked):
            return None
        return wanted | {self.revisions[each].store for each in linked}

    def _lost_parents(self) -> Iterator[tuple[Revision, str]]:
        for revision in self.revisions.values():
            yield from ((revision, parent) for parent in revision.parents if parent not in self.revisions)

    def _missing(self) -> Iterator[ProvisionError]:
        for revision in self.revisions.values():
            for needed in revision.requires:
                if needed not in self.revisions and not needed.startswith(BACKFILL):
                    yield ConfigError(
                        "missing-requirement",
                        f"{revision.title} requires {needed}, which does not exist",
                        where=revision.path,
                        fix=_near(needed, self.revisions),
                    )

    def _forked(self, many_heads: frozenset[str]) -> Iterator[ProvisionError]:
        followed = {parent for revision in self.revisions.values() for parent in revision.parents}
        heads: dict[str, list[Revision]] = {}
        for revision in self.revisions.values():
            if revision.id not in followed and not revision.repeatable:
                heads.setdefault(revision.store, []).append(revision)
        for store, tops in heads.items():
            labels = Counter(label for top in tops for label in self._labels(top))
            unmeant = [top for top in tops if all(labels[label] > 1 for label in self._labels(top))]
            if len(tops) > 1 and unmeant and store not in many_heads:
                yield ConfigError(
                    "two-heads",
                    f"{store} has {len(tops)} heads: {', '.join(top.id for top in tops)}",
                    where=", ".join(top.path for top in tops),
                    fix=f'merge them (`alembic merge heads`), or set heads = "many" for {store} in provision.toml',
                )

    def _labels(self, head: Revision) -> frozenset[str]:
        """The names given to the head's line; one that no other head shares says that it is meant to stay a branch."""
        line = _closure([head.id], lambda each: self.revisions[each].parents if each in self.revisions else ())
        return frozenset(label for each in line if each in self.revisions for label in self.revisions[each].labels)

    def _ordered(self, listed: Sequence[Revision]) -> Iterator[Revision]:
        # Ready revisions are taken in the order of the files, so that equal projects print equal plans.
        place = {revision.id: number for number, revision in enumerate(listed)}
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for revision in listed:
            sorter.add(revision.id, *(edge for edge in edges(revision) if edge in self.revisions))
        for revision in (each for each in listed if each.repeatable):
            # No edge of its own, so that nothing is out of order when a revision comes later; only the place is last.
            before = (each.id for each in listed if each.store == revision.store and not each.repeatable)
            sorter.add(revision.id, *before)
        try:
            sorter.prepare()
        except CycleError as error:
            raise _cycle(error.args[1], self.revisions) from None
        while sorter.is_active():
            for name in sorted(sorter.get_ready(), key=place.__getitem__):
                yield self.revisions[name]
                sorter.done(name)


def _here(revision: Revision, forgone: frozenset[str], optional: bool) -> Revision:
    requires = tuple(each for each in revision.requires if each.split("/", 1)[0] not in forgone)
    if requires == revision.requires and not optional:
        return revision
    return replace(revision, requires=requires, optional=optional)


def edges(revision: Revision) -> tuple[str, ...]:
    """What must be applied before the revision, gates included."""
    return (*revision.parents, *revision.requires)


def _closure(ids: Iterable[str], following: Callable[[str], Iterable[str]]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = list(ids)
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting.extend(following(each))
    return frozenset(seen)


def _duplicates(listed: Sequence[Revision]) -> Iterator[ProvisionError]:
    counts = Counter(revision.id for revision in listed)
    for name, count in counts.items():
        if count > 1:
            paths = [revision.path for revision in listed if revision.id == name]
            yield ConfigError(
                "duplicate-id",
                f"{count} files are {name}",
                where=", ".join(paths),
                fix="give one of them the next free number",
            )


def _lost(missing: tuple[Revision, str]) -> ProvisionError:
    revision, parent = missing
    return ConfigError(
        "missing-parent",
        f"{revision.title} follows {parent}, which does not exist",
        where=revision.path,
        fix=f"restore the file of {parent}, or correct what {revision.id} follows",
    )


def _near(needed: str, known: Iterable[str]) -> str:
    """The id that was meant: the same store and number with other zeros, or one that looks like it."""
    ids = list(known)
    number = needed.rpartition("/")[2].lstrip("0")
    same = [
        each for each in ids if each.split("/")[0] == needed.split("/")[0] and each.split("/")[1].lstrip("0") == number
    ]
    close = same or [each for each in alike(needed, ids, 3) if each.split("/")[1] == needed.split("/")[-1]]
    return f"did you mean {close[0]}?" if close else "write the id (store/number) of a revision that exists"


def _cycle(path: Sequence[str], revisions: Mapping[str, Revision]) -> ProvisionError:
    # graphlib lists a cycle from the required to the requiring; people read it the other way round.
    circle = list(reversed(path))
    start = circle.index(min(circle))
    turned = [*circle[start:-1], *circle[: start + 1]] if start < len(circle) - 1 else circle
    return ConfigError(
        "cycle",
        f"revisions require each other: {' → '.join(turned)}",
        where=", ".join(dict.fromkeys(revisions[name].path for name in turned)),
        fix="remove one `requires`, or split the revision that needs both sides"
        if len({revisions[name].store for name in turned}) > 1
        else "correct what one of them follows or requires",
    )
