"""What documents touch: each operation by its name and its body."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from provision.documents.lint import DocumentReader
from provision.model import Revision, StoreOptions
from provision.model.lint import Unit
from provision.model.touches import Touch, Touched, joined

Rule = Callable[[Any], Iterable[Touch]]
Rules = Mapping[str, Rule]
"""Name of an operation → what one with that body touches; of an operation that is not there nothing is known."""


class Unread(Exception):
    """Raised by a rule for a body of which it is not known what it touches."""


def touched(
    reader: DocumentReader, rules: Rules, options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]
) -> Mapping[str, Touched]:
    """`TouchReader.touched` of a kind whose migrations are documents."""
    chosen = [each for each in revisions if each.id in wanted]
    scripts = reader.scripts(options, chosen)
    pairs = zip(chosen, scripts, strict=True)
    return {each.id: joined(_unit(unit, rules) for unit in script.units) for each, script in pairs}


def _unit(unit: Unit, rules: Rules) -> Touched:
    rule = rules.get(unit.name)
    if rule is None:
        return Touched(unknown=f"{unit.file}:{unit.place.line}: what `{unit.name}` does cannot be read from it")
    try:
        return Touched(frozenset(rule(unit.body)))
    except Unread as error:
        return Touched(unknown=f"{unit.file}:{unit.place.line}: {error}")
