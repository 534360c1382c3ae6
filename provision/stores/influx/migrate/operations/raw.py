"""`influxql` and `flux`: text as it is; the file says how to tell that it took effect, and how to undo it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import ClassVar

from provision.documents.operation import Body, Earlier, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.canonical import canonical
from provision.stores.influx.migrate.operations.base import TEXT, InfluxOperation
from provision.stores.influx.names import OWN
from provision.stores.influx.server import Server

_ROW = {"type": "array", "description": "a row: the list of its values without the time"}
_ROWS = {"type": "array", "description": "a list of rows, each the list of its values without the time", "items": _ROW}
_TURNED = {"equals": "differs", "differs": "equals", "contains": "lacks", "lacks": "contains"}
_LOSING = ("DROP", "DELETE", "ALTER", "KILL")
_READING = ("SELECT", "SHOW")


class _Raw(InfluxOperation):
    key: ClassVar[str]  # of the body, that holds the text

    def summary(self, body: Body) -> str:
        return " ".join(str(body[self.key]).split())

    def text(self, body: Body) -> str:
        return str(body[self.key])

    def probe(self, body: Body, live: Server) -> Fate:
        asked = body["probe"]
        answer = live.rows(asked["query"])
        (way,) = (each for each in _TURNED if each in asked)
        there = answer == asked[way] if way in ("equals", "differs") else asked[way] in answer
        done = there == (way in ("equals", "contains"))
        said = f"{' '.join(asked['query'].split())} answers {json.dumps(answer, ensure_ascii=False)[:200]}"
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, said)

    def run(self, body: Body, live: Server) -> None:
        live.run(body[self.key])

    def inverse(self, body: Body) -> tuple[str, Body]:
        probe = {_TURNED.get(key, key): value for key, value in body["probe"].items()}
        return self.name, {self.key: body["down"], "probe": probe, "down": body[self.key]}

    def problems(self, body: Body) -> Iterable[Problem]:
        for key in (self.key, "down"):
            if re.search(rf"\b{OWN}\w", body[key]):
                yield Problem(key, f"databases that begin with {OWN} are provision's own", "leave it out")


def _schema(key: str, what: str) -> dict[str, object]:
    text = {**TEXT, "description": what}
    return mapping(
        [key, "probe", "down"],
        **{key: text},
        probe={
            **mapping(["query"], query=TEXT, equals=_ROWS, differs=_ROWS, contains=_ROW, lacks=_ROW),
            "oneOf": [{"required": [each]} for each in _TURNED],
            "description": "a reading `query`, and what its rows are once the text took effect: they `equals` a list"
            " (or `differs` from it), or one of them is what it `contains` (or `lacks`)",
        },
        down={**text, "description": f"{what}, that undoes it"},
    )


class Influxql(_Raw):
    name = "influxql"
    key = "statement"
    schema = _schema(key, "one statement of InfluxQL")

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str | None:
        first = _first(body["statement"])
        return f"{self.summary(body)} can lose what is there" if first in _LOSING else None

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from super().problems(body)
        for key, text in (("statement", body["statement"]), ("down", body["down"]), ("probe", body["probe"]["query"])):
            words = canonical(text)
            if ("sign", ";") in words[:-1]:
                yield Problem(key, "two statements: the server hides what became of the first", "write one at a time")
            if ("name", "PASSWORD") in [(kind, word.upper()) for kind, word in words]:
                yield Problem(key, "a password would stand in a file", "set it by hand")
        if _first(body["probe"]["query"]) not in _READING:
            yield Problem("probe", "the probe does not begin with SELECT or SHOW", "ask with one that does")


class Flux(_Raw):
    name = "flux"
    key = "script"
    schema = _schema(key, "a script of Flux")

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from super().problems(body)
        if re.search(r"\bto\s*\(", body["probe"]["query"]):
            yield Problem("probe", "the probe writes", "ask without to()")


def _first(statement: str) -> str:
    words = canonical(statement)
    return words[0][1].upper() if words else ""
