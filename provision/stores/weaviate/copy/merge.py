"""Two listings in the order of ids, held against each other; and the sum of one, which does not depend on the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Entry = tuple[str, bytes]
# Behind every id.
_END: Entry = ("~", b"")


@dataclass(slots=True)
class Sum:
    """A number of objects and the exclusive or of their digests."""

    objects: int = 0
    bits: int = 0

    def add(self, digest: bytes) -> None:
        self.objects += 1
        self.bits ^= int.from_bytes(digest, "big")

    def join(self, other: Sum) -> None:
        self.objects += other.objects
        self.bits ^= other.bits

    def __str__(self) -> str:
        return f"{self.bits:032x}"


def summed(entries: Iterable[Entry], total: Sum) -> Iterator[Entry]:
    """The same entries, added up on their way."""
    for each in entries:
        total.add(each[1])
        yield each


def differing(here: Iterator[Entry], there: Iterator[Entry]) -> Iterator[str]:
    """The ids that are in one listing only, or in both with unlike digests."""
    left, right = next(here, _END), next(there, _END)
    while left is not _END or right is not _END:
        if left != right:
            yield min(left[0], right[0])
        first = min(left[0], right[0])
        if left[0] == first:
            left = next(here, _END)
        if right[0] == first:
            right = next(there, _END)
