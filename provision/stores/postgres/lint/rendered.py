"""The SQL of revisions as Alembic writes it offline, each piece with the line of the revision file that makes it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from provision.errors import ConfigError
from provision.lint.text import lines_of
from provision.model import Direction, Revision, Step, StoreOptions
from provision.model.lint import Place
from provision.ports.lint import shown
from provision.stores.postgres.lint.apart import WORTH, apart, possible
from provision.stores.postgres.migrate import alembic as engine
from provision.stores.postgres.migrate.describe import BUSY, PATIENCE
from provision.stores.postgres.migrate.lane import ALEMBIC
from provision.text.opened import opened
from provision.text.raised import raised

_NOT_RUN = "env.py runs no migrations offline (context.run_migrations() while context.is_offline_mode())"


class Piece(NamedTuple):
    """What one call of a revision writes, and the line of its file where the call begins; 0: Alembic's own."""

    text: str
    line: int


class Rendered(NamedTuple):
    """The pieces of one revision, or why there are none."""

    pieces: tuple[Piece, ...]
    reason: str = ""


class _Traced(StringIO):
    """Keeps with what is written the line of `file` that the writing call comes from."""

    def __init__(self) -> None:
        super().__init__()
        self.file, self.pieces = "", list[Piece]()

    def write(self, text: str) -> int:
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back  # type: ignore[assignment]
        if text.strip():
            self.pieces.append(Piece(text, frame.f_lineno if frame is not None else 0))
        return len(text)


def rendered(options: StoreOptions, revisions: Sequence[Revision], reads: set[str]) -> Iterator[Rendered]:
    """One a revision, in order, as it is made. Imports every revision file; reaches no server.

    `reads` takes the files that were opened for it, once all revisions are there.
    """
    known = 0
    if len(revisions) >= WORTH and possible():
        for each in apart(lambda take: _watched(options, revisions, take)):
            if isinstance(each, Rendered):
                known += 1
                yield each
            else:
                reads |= each
    made: list[Any] = []
    if known < len(revisions):
        _watched(options, revisions, made.append)
        reads |= made.pop()
    yield from made[known:]


def _watched(options: StoreOptions, revisions: Sequence[Revision], take: Callable[[Any], None]) -> None:
    """All revisions, and behind them the files that were opened."""
    with opened() as files:
        _all(options, revisions, take)
    take(frozenset(files))


def _all(options: StoreOptions, revisions: Sequence[Revision], take: Callable[[Rendered], None]) -> None:
    if not revisions:
        return
    if not ALEMBIC.acquire(timeout=PATIENCE):
        _refused(BUSY, len(revisions), take)
        return
    known = 0
    try:
        directory = engine.scripts(options)
        while known < len(revisions):
            known += _some(options, directory, revisions[known:], take)
    except ConfigError as error:
        _refused(error.what, len(revisions) - known, take)
    finally:
        ALEMBIC.release()


def _refused(why: str, count: int, take: Callable[[Rendered], None]) -> None:
    for _ in range(count):
        take(Rendered((), why))


def _some(
    options: StoreOptions, directory: Any, revisions: Sequence[Revision], take: Callable[[Rendered], None]
) -> int:
    """Up to and with the first that needs a database; how many."""
    buffer, made = _Traced(), 0

    def fn(_heads: Any, _context: Any) -> Iterator[Any]:
        nonlocal made
        for each in revisions[made:]:  # an env.py of several databases asks again
            buffer.file, buffer.pieces = str(shown(options, each)[1]), []
            yield engine.step(directory, each.number, Direction.UP)
            made += 1
            take(Rendered(tuple(buffer.pieces)))

    before = tuple(parent.split("/", 1)[1] for parent in Step(revisions[0]).revision.parents)
    try:
        engine.render(options, directory, fn, buffer, before)
        why = _NOT_RUN
    except Exception as error:  # a revision is code: without a database it may raise anything
        why = raised(error)
    if made < len(revisions):
        take(Rendered((), why))
        made += 1
    return made


def placed(source: str) -> Callable[[Piece], Callable[[int], Place]]:
    """The places in the revision file of the characters of a piece.

    A line of SQL that stands in the file as it is, is found there: below the call, else anywhere; of SQL that Alembic
    makes, the call itself is the place.
    """
    starts = [0, *(at + 1 for at, sign in enumerate(source) if sign == "\n")]
    in_source = lines_of(source)

    def of(piece: Piece) -> Callable[[int], Place]:
        inside = lines_of(piece.text)
        texts = piece.text.split("\n")
        call = max(piece.line, 1)
        begin = starts[min(call, len(starts)) - 1]

        def locate(at: int) -> Place:
            where = inside(at)
            text = texts[where.line - 1]
            wanted = text.strip().rstrip(";")
            found = source.find(wanted, begin) if wanted else -1
            if found < 0 and wanted:
                found = source.find(wanted, 0, begin)
            if found < 0:
                return Place(call, 1)
            line, column = in_source(found)
            indent = len(text) - len(text.lstrip())
            return Place(line, column - 1 + max(where.column - indent, 1))

        return locate

    return of


def path_of(options: StoreOptions, revision: Revision) -> Path:
    return shown(options, revision)[1]
