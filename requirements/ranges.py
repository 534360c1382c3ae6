"""Prints what pyproject.toml asks for, one requirement a line: `python requirements/ranges.py [--lowest] [EXTRA…]`.

What builds the project comes first, then its own dependencies and those of the extras and of the extras these name.
With --lowest each `name>=1.2,<3` is printed as `name==1.2`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def ranges(extras: Iterable[str]) -> list[str]:
    """The requirements of the project and of these extras, each once, in the order of pyproject.toml."""
    stated = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    project = stated["project"]
    own = re.compile(rf"{re.escape(project['name'])}\[(.+)\]")

    def of(extra: str) -> Iterator[str]:
        for each in project["optional-dependencies"][extra]:
            if inner := own.fullmatch(each):
                for name in inner[1].split(","):
                    yield from of(name.strip())
            else:
                yield each

    named = (each for extra in extras for each in of(extra))
    return list(dict.fromkeys([*stated["build-system"]["requires"], *project["dependencies"], *named]))


def lowest(requirement: str) -> str:
    """`name[extra]>=1.2,<3` as `name[extra]==1.2`. Raises ValueError for a requirement without lower bound."""
    match = re.fullmatch(r"([\w.-]+(?:\[[^\]]+\])?)>=([\w.]+)(?:,<[\w.]+)?", requirement)
    if match is None:
        raise ValueError(f"pyproject.toml: {requirement!r} is not of the form name>=lower,<upper")
    return f"{match[1]}=={match[2]}"


def main(arguments: list[str]) -> None:
    extras = [each for each in arguments if each != "--lowest"]
    for each in ranges(extras):
        print(lowest(each) if "--lowest" in arguments else each)


if __name__ == "__main__":
    main(sys.argv[1:])
