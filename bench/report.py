"""Says what was measured: the table, the machine, the versions; printed and written to docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.rounds import Pair

PACKAGES = ("alembic", "SQLAlchemy", "psycopg", "clickhouse-migrations", "clickhouse-connect", "chdb-core")
FLAT = 1.25
_HEAD = (
    "| what | beside | ours ÷ theirs | lowest–highest round | bound | ours | theirs | rounds |\n" + "| --- " * 8 + "|"
)
_TOP = """\
# Performance

Written by `make bench`, `make bench-stores`, `make bench-idle`, `make bench-before`, `make bench-noon`, `make
bench-partitions`, `make bench-data`, `make bench-data-path`, `make bench-lint`, `make bench-verify`, `make
bench-forecast` and `make bench-testing`, each its own sections; not by hand. What stands on one line ran in turn on the
same machine, round after round, and the order changes from round to round. A ratio is the median of the rounds' own
ratios; below 1 `provision` is faster. Seconds are of one machine and only show the scale: the ratios are what is
claimed.
"""
SECTIONS = (
    "Migrations",
    "Six stores",
    "Nothing to do",
    "Beside an earlier commit",
    "Deploy at noon",
    "Partitions",
    "Backfills",
    "Backfills through a network",
    "Data checks",
    "Probability suite",
    "Parity",
    "Data path",
    "Lint",
    "Verify and drift",
    "Forecast",
    "A database for each test",
)
_INTRO = """\
Each line is a command of `provision` beside the command of the tool that it works with, both as whole processes, on the
same files and the same embedded servers, each in a database of its own. ClickHouse runs without a run lock on both
sides.
"""


def table(pairs: Iterable[Pair]) -> str:
    """One line a pair, as Markdown."""
    return "\n".join([_HEAD, *map(_line, pairs)])


def concluded(section: str, intro: str, pairs: Sequence[Pair], root: Path) -> int:
    """Print the section and keep it: 0 when every bound is met, 1 when one is not."""
    above = missed(pairs, {})
    text = f"{intro}\n{table(pairs)}\n\n{verdict(above)}\n\nMeasured {when_and_where()}.\n"
    print(f"\n{text}")
    write(section, text, root)
    return 1 if above else 0


def missed(pairs: Iterable[Pair], growth: Mapping[str, float]) -> list[str]:
    """What lies above its bound, in words."""
    return [
        *(
            f"{pair.name} beside {pair.against}: {pair.ratio:.2f}, the bound is {pair.bound}"
            for pair in pairs
            if _over(pair)
        ),
        *(
            f"{name}: cost per revision grows {each:.2f} ×, the bound is {FLAT}"
            for name, each in growth.items()
            if each > FLAT
        ),
    ]


def verdict(misses: Sequence[str]) -> str:
    """What `missed` found, for people."""
    return "\n".join(["Above a bound:", "", *(f"- {each}" for each in misses)]) if misses else "Every bound is met."


def growth(pairs: Sequence[Pair], store: str, small: int, large: int) -> float:
    """How much a revision costs in the large project, as a multiple of what it costs in the small one.

    Start-up and reading, which the run with nothing to do shows, are taken off.
    """
    by_name = {pair.name: pair for pair in pairs}

    def each(count: int) -> float:
        whole, idle = by_name[f"{store} up, {count}"], by_name[f"{store} up, {count}, nothing to do"]
        return (whole.our_median - idle.our_median) / count

    return each(large) / each(small)


def page(pairs: Sequence[Pair], growths: Mapping[str, float], servers: Mapping[str, str]) -> str:
    """The section of migrations."""
    misses = missed(pairs, growths)
    flat = "\n".join(f"| {name} | {each:.2f} | {FLAT} |" for name, each in growths.items())
    return f"""{_INTRO}
{table(pairs)}

{verdict(misses)}

Cost of one revision in the large project ÷ in the small one, start-up taken off:

| `up` | ratio | bound |
| --- | --- | --- |
{flat}

Measured {when_and_where()}. {", ".join(f"{name} {each}" for name, each in servers.items())};
Python {platform.python_version()}, {", ".join(f"{name} {version(name)}" for name in PACKAGES)}.
"""


def write(section: str, text: str, root: Path) -> None:
    """Put the text in the place of that section of docs/performance.md, which keeps the others."""
    place = root / "docs" / "performance.md"
    found = place.read_text(encoding="utf-8").split("\n## ")[1:] if place.exists() else []
    bodies = dict(each.split("\n", 1) for each in found) | {section: f"\n{text.strip()}\n"}
    kept = [f"## {name}\n{bodies[name].rstrip()}\n" for name in SECTIONS if name in bodies]
    place.write_text("\n".join([_TOP, *kept]), encoding="utf-8")


def when_and_where() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d} on {_machine()}"


def _line(pair: Pair) -> str:
    low, high = pair.spread
    bound = f"≤ {pair.bound}" if pair.bound is not None else "–"
    return (
        f"| `{pair.name.strip()}` | `{pair.against}` | **{pair.ratio:.2f}** | {low:.2f}–{high:.2f} | {bound} "
        f"| {pair.our_median:.2f} s | {pair.their_median:.2f} s | {len(pair.seconds)} |"
    )


def _over(pair: Pair) -> bool:
    return pair.bound is not None and pair.ratio > pair.bound


def _machine() -> str:
    load = os.getloadavg()[1]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {load:.1f}"
