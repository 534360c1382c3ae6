"""One page of a copy at a time, so that it can be paced and stopped between two; a page done again does no harm."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from provision.stores.weaviate.copy.merge import Sum, differing
from provision.stores.weaviate.copy.objects import Copy

# More than so many, or one in `DENSE`: then whole pages take less than three requests for each.
FEW, DENSE = 10, 3
_HIGHEST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Page:
    """What was done behind an id: up to which one (empty: to the end), and how many objects were not level.

    `total` is the sum of what the target then held there, where it was read.
    """

    last: str
    looked_at: int
    mended: int
    total: Sum = field(default_factory=Sum)


def level_page(copy: Copy, tenant: str | None, after: str) -> Page:
    """Make the target as the source is in the next `copy.size` objects behind `after`, and read it back.

    Raises as `Copy` does; ObjectRefused for an object that the target does not take.
    """
    source, target = copy.sides(tenant)
    here = source.page(after, copy.size)
    last = str(here[-1]["id"]) if len(here) == copy.size else ""
    wanted = {each["id"]: copy.form.expected(each) for each in here}
    there = {each["id"]: each for each in target.between(after, last)}
    unlike = set(differing(iter(wanted.items()), ((key, copy.form.digest(each)) for key, each in there.items())))
    if unlike:
        copy.guard()
        made = [copy.form.made(each, there.get(each["id"])) for each in here if each["id"] in unlike]
        copy.pour(source, target, made)
        target.delete(sorted(unlike - wanted.keys()))
        back = {each["id"]: copy.form.digest(each) for each in target.between(after, last)}
        copy.mend(source, target, list(differing(iter(wanted.items()), iter(back.items()))))
    total = Sum()
    for digest in wanted.values():
        total.add(digest)
    return Page(last, len(here), len(unlike), total)


def follow_page(copy: Copy, tenant: str | None, after: str, since: int) -> Page:
    """Bring over what was written since then, and take away what was deleted, in the next `copy.size` ids.

    Raises as `level_page` does.
    """
    source, target = copy.sides(tenant)
    ids = [each["id"] for each in source.page(after, copy.size, vectors=False)]
    last = ids[-1] if len(ids) == copy.size else ""
    there = (each["id"] for each in target.between(after, last, vectors=False))
    keys = {*differing(((key, b"") for key in ids), ((key, b"") for key in there))}
    keys |= source.changed(since, after or None, _behind(last)).keys() - {after}
    if len(keys) > max(FEW, len(ids) // DENSE):
        return level_page(copy, tenant, after)
    return Page(last, len(ids), copy.mend(source, target, sorted(keys)))


def _behind(last: str) -> str | None:
    """The id that follows, for a bound that is not part of its range."""
    return str(UUID(int=UUID(last).int + 1)) if last and UUID(last) != _HIGHEST else None
