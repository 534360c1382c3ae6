"""The table of docs/adoption.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.adoption import environments

if TYPE_CHECKING:
    from tests.adoption.conftest import Taken

_PAGE = environments.ROOT / "docs" / "adoption.md"
_HEAD = ("project", "package", "revisions", "from empty", "from half-way", "Alembic alone", "what was written")
_BEGIN, _END = "<!-- adopted: begin -->\n", "<!-- adopted: end -->\n"


def row(taken: Taken) -> tuple[str, ...]:
    """A project's line: of each way, the seconds, and whether it ended as Alembic's own."""
    project = taken.project
    ways = (_way(taken, "from_empty"), _way(taken, "from_half"))
    alone = f"{taken.seconds['alembic']:.1f} s" if "alembic" in taken.seconds else "fails"
    package = f"{project.package} {environments.version(project)}"
    return (project.name, package, str(len(taken.revisions)), *ways, alone, project.needed)


def _way(taken: Taken, way: str) -> str:
    if way not in taken.seconds:
        return "**fails**"
    return f"{'equal' if way in taken.same else '**differs**'}, {taken.seconds[way]:.1f} s"


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """As Markdown."""
    return [_line(_HEAD), _line(["---"] * len(_HEAD)), *map(_line, rows)]


def write(rows: Sequence[tuple[str, ...]]) -> None:
    """Put the table between the marks of the page."""
    text = _PAGE.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    _PAGE.write_text(before + _BEGIN + "\n".join(table(rows)) + "\n" + _END + after, encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
