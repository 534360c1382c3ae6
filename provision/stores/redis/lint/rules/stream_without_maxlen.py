"""A stream that grows without end."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if (
        unit.name == "command"
        and unit.body[0].upper() == "XADD"
        and not {"MAXLEN", "MINID"} & {word.upper() for word in unit.body}
    ):
        what = (
            f"{unit.body[1] if len(unit.body) > 1 else 'the stream'} keeps every entry for ever: reading "
            "does not remove them"
        )
        yield Hit(unit, what, "XADD key MAXLEN ~ 10000 * field value", unit.body[1] if len(unit.body) > 1 else "")


RULE = Rule("stream-without-maxlen", Severity.WARNING, "A stream that grows without end", check)
