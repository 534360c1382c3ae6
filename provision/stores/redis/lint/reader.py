"""Documents, and files of commands as redis-cli reads them: one a line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from provision.documents.lint import DocumentReader
from provision.documents.source import Documents
from provision.model import StoreOptions
from provision.model.lint import Place, Unit, always


class RedisReader(DocumentReader):
    """`provision.ports.lint.LintReader`. The name of a command's unit is `command`, its body the words of the line."""

    suffixes = (".redis",)

    def documents(self, options: StoreOptions) -> Documents:
        from provision.stores.redis.files import documents

        return documents(options)

    def units(self, text: str, file: str) -> Sequence[Unit]:
        return list(_units(text, file))

    def expanded(self, unit: Unit) -> Sequence[Unit]:
        if unit.name != "redis":
            return (unit,)
        lines = [each if isinstance(each, str) else shlex.join(map(str, each)) for each in unit.body["commands"]]
        places = [unit.part("commands", number) for number in range(len(lines))]
        found = [(_units(line, unit.file), place) for line, place in zip(lines, places, strict=True)]
        return [replace(each, place=place, last=place.line, start=None) for units, place in found for each in units]


READER = RedisReader


def _units(text: str, file: str) -> Iterator[Unit]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith(("#", "//", "--")):
            place = Place(number, len(line) - len(line.lstrip()) + 1)
            yield Unit("command", _words(line), line.strip(), file, place, number, always(place))


def _words(line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line, comments=True))
    except ValueError:  # a quote that is not closed
        return tuple(line.split())
