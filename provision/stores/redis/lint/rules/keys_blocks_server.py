"""KEYS stops the whole server."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name == "command" and unit.body[0].upper() == "KEYS":
        what = "KEYS reads every key while nobody else is served: 150 ms for a million keys"
        yield Hit(unit, what, "SCAN; or EXISTS, where the key is known", unit.body[-1])


RULE = Rule("keys-blocks-server", Severity.ERROR, "KEYS stops the whole server", check)
