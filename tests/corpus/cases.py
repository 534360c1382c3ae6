"""The cases: outages.yaml (reported by people, in our own words) and defects.yaml (of the two design documents)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_HERE = Path(__file__).parent
LINTERS = ("provision", "squawk")


class Case(NamedTuple):
    """A change and the harm that it does.

    `before` makes what is there, `beside` is what another session has open, `change` is what the linters read and the
    engine runs. `harm` is one of: blocks SQL, queues SQL, rewrites TABLE, fails CODE, breaks SQL and CODE, shows SQL
    and VALUE, says PATTERN (PostgreSQL's own message), slow MICROSECONDS. `names` are the rules of each linter that
    name this harm. `server` is the fixture of the engine, where its kind's usual one does not do.
    """

    name: str
    source: str
    fact: str
    kind: str
    before: str
    change: str
    harm: Mapping[str, Any]
    names: Mapping[str, list[str]]
    beside: str = ""
    server: str = ""


def every() -> list[Case]:
    """All cases, in the order of their files."""
    return [*outages(), *defects()]


def outages() -> list[Case]:
    return _read("outages.yaml")


def defects() -> list[Case]:
    return _read("defects.yaml")


def without() -> dict[int, str]:
    """Defects of the design documents that are no case, and why."""
    return dict(yaml.safe_load((_HERE / "without.yaml").read_text(encoding="utf-8")))


def _read(name: str) -> list[Case]:
    made = yaml.safe_load((_HERE / name).read_text(encoding="utf-8"))
    return [Case(**{"kind": "postgres", "before": "", "names": {}, **each}) for each in made]
