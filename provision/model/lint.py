"""What `lint` reads and what it finds: scripts of units, rules, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from provision.model.stores import Severity


class Place(NamedTuple):
    """Line and column of a file, both from 1."""

    line: int
    column: int = 1


class Edit(NamedTuple):
    """Characters `start` to `end` of a file become `text`."""

    start: int
    end: int
    text: str


Locate = Callable[[int], Place]
"""The place in its file of a character of a text."""


def behind(locate: Locate, begin: int) -> Locate:
    """The places of a text that begins at a character of another one."""
    return lambda at: locate(begin + at)


def always(place: Place) -> Locate:
    """The place of a text whose characters stand in no file."""
    return lambda _: place


@dataclass(frozen=True, slots=True)
class Unit:
    """One statement or operation: `name` says which, `body` is what its kind of store parsed of it.

    `text` is as written; `last` is its last line. `locate` gives the place of a character of `text`, `start` the
    character of the file where `text` begins, None where the text stands in no file.
    """

    name: str
    body: Any
    text: str
    file: str
    place: Place
    last: int
    locate: Locate = field(repr=False, compare=False)
    start: int | None = None
    in_transaction: bool = False
    called: int = 0  # the line of the call that sends it, where that is another one
    call: tuple[int, int] | None = None  # the first and last line of the statement with that call, where it was asked
    mend: Callable[[Unit, str], tuple[Edit, ...]] | None = field(default=None, repr=False, compare=False)
    """The edits of its file that mend what a rule finds, where `start` does not say where the text stands."""
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict, repr=False, compare=False)
    """Where the parts of a `body` that is a mapping stand, by their path in it."""

    def part(self, *path: str | int) -> Place:
        """Where a part of the body stands; the unit itself where that is not known."""
        return self.places.get(path, self.place)


@dataclass(frozen=True, slots=True)
class Script:
    """What one file does, in order. `source` is the text of the file, where suppressions stand.

    `not_rendered` says why the statements of a file cannot be shown without a server, else empty. `needs` are the
    extensions that its head demands. `journaled`: a ledger knows which of its statements are done.
    `no_way_down` says what is missing of the way down, where nobody gave a reason, `irreversible` is the reason that
    somebody gave. `undeclared` is what the file can lose and does not say.
    """

    file: str
    source: str
    units: tuple[Unit, ...] = ()
    not_rendered: str = ""
    needs: tuple[str, ...] = ()
    journaled: bool = False
    no_way_down: str = ""
    irreversible: str | None = None
    undeclared: tuple[str, ...] = ()


class Hit(NamedTuple):
    """What a rule says of a unit: `at` is a character of its text, or a place; None is where the unit begins.

    `level` is that of this hit, where it is not the rule's.
    """

    unit: Unit
    message: str
    fix: str
    object: str = ""
    at: int | Place | None = None
    edits: tuple[Edit, ...] = ()
    level: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `check` looks at a unit with the world as the units before it left it, `whole` at the end of all.

    `predicts` is what its statement does to a table with rows: `rewrite`, `scan`, `stops writes`, `stops reads`; empty
    for a rule that speaks of something else.
    """

    name: str
    level: Severity
    title: str
    check: Callable[[Unit, Any], Iterable[Hit]] | None = None
    whole: Callable[[Any], Iterable[Hit]] | None = None
    predicts: str = ""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing that is wrong, with its place. The field names are those of the JSON document."""

    rule: str
    severity: Severity
    store: str
    file: str
    line: int
    column: int
    object: str
    message: str
    fix: str
    edits: tuple[Edit, ...] = field(default=(), compare=False)

    def told(self) -> Mapping[str, Any]:
        """As programs read it."""
        keys = ("rule", "severity", "store", "file", "line", "column", "object", "message", "fix")
        return {key: str(self.severity) if key == "severity" else getattr(self, key) for key in keys}


class World:
    """What the units so far have made; a kind of store extends it with what its rules ask for."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self._named: dict[str, list[Unit]] = {}
        self.journaled: set[str] = set()  # files of whose statements a ledger knows which are done
        self.script = Script("", "")
        self.complete = False  # the scripts are the whole history: what none of them makes is not there

    def begin(self, script: Script) -> None:
        """The units that follow are of `script`."""
        self.script = script
        if script.journaled:
            self.journaled.add(script.file)

    def add(self, unit: Unit) -> None:
        """Take in what the unit does."""
        self.units.append(unit)
        self._named.setdefault(unit.name, []).append(unit)

    def named(self, *names: str) -> Iterator[Unit]:
        """The units so far with one of these names, name by name."""
        return (each for name in names for each in self._named.get(name, ()))
