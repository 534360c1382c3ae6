"""A rollup that reads what nothing writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, World

_ARGUMENT = re.compile(r"\w+\s*\(\s*\"?([A-Za-z_]\w*)\"?\s*[,)]")


def whole(world: World) -> Iterator[Hit]:
    rollups = list(world.named("create_rollup"))
    written: dict[tuple[str, str], set[str]] = {}
    for each in rollups:
        written.setdefault(_place(each.body["into"]), set()).update(map(str, each.body["fields"]))
    tiers = {tier for tier, _ in written}
    for each in rollups:
        source = _place(each.body["from"])
        name = ".".join(filter(None, source))
        if source in written:
            lost = sorted(
                {field for text in each.body["fields"].values() for field in _ARGUMENT.findall(str(text))}
                - written[source]
            )
            if lost:
                what = f"{each.body['name']} reads {', '.join(lost)}, which the rollup that writes {name} does not make"
                yield Hit(
                    each, what, "carry sums and counts from tier to tier, and divide at the end", str(each.body["name"])
                )
        elif source[0] and source[0] in tiers:
            what = f"{each.body['name']} reads {name}, which no rollup writes: it never makes a point"
            yield Hit(each, what, f"add the rollup into {name}", str(each.body["name"]))


def _place(body: Any) -> tuple[str, str]:
    return str(body.get("tier", "")), str(body.get("measurement", ""))


RULE = Rule("broken-rollup", Severity.WARNING, "A rollup that reads what nothing writes", whole=whole)
