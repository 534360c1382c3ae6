"""Reads a continuous query back into the rollup that it would be made of."""

from __future__ import annotations

from provision.stores.influx.migrate import influxql
from provision.stores.influx.migrate.canonical import Token, canonical
from provision.stores.influx.migrate.model import Call, Output, Rollup, TierPlace
from provision.text.durations import SECOND


class _Other(Exception):
    """Raised for a query of another shape."""


def rollup(statement: str) -> Rollup | None:
    """The rollup whose continuous query this is; None when it is one that no rollup makes. In a server's own words."""
    try:
        found = _Words(canonical(statement)).rollup()
    except (_Other, ValueError):
        return None
    return found if canonical(influxql.create_rollup(found)) == canonical(statement) else None


class _Words:
    """The words of a statement, taken one after another."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0

    def rollup(self) -> Rollup:
        """Raises _Other."""
        self._skip("CREATE", "CONTINUOUS", "QUERY")
        name = self._name()
        self._skip("ON")
        database = self._name()
        span = runs = None
        if self._has("RESAMPLE"):
            runs = self._seconds() if self._has("EVERY") else None
            self._skip("FOR")
            span = self._seconds()
        self._skip("BEGIN", "SELECT")
        outputs = [self._output()]
        while self._has(","):
            outputs.append(self._output())
        self._skip("INTO")
        target = self._place(database)
        self._skip("FROM")
        source = self._place(database)
        self._skip("GROUP", "BY", "time", "(")
        every = self._seconds()
        self._skip(")")
        late = max((span or every) - (runs or every), 0)
        return Rollup(database, name, source, target, every, late, tuple(outputs), self._tags(), runs=runs)

    def _output(self) -> Output:
        function = self._name()
        self._skip("(")
        root = function == "sqrt"
        call = self._call(self._name_and("(") if root else function)
        by = self._call(self._name_and("(")) if self._has("/") else None
        if root:
            self._skip(")")
        self._skip("AS")
        return Output(self._name(), call, by, root)

    def _call(self, function: str) -> Call:
        """A call from behind its parenthesis on."""
        field = self._name()
        sort = f"::{self._name()}" if self._has("::") else ""
        self._skip(")")
        # Through its text, so that only what a document may say is taken.
        return Call.of(f"{function}({field}{sort})")

    def _name_and(self, sign: str) -> str:
        name = self._name()
        self._skip(sign)
        return name

    def _place(self, database: str) -> TierPlace:
        if self._name() != database:
            raise _Other
        self._skip(".")
        tier = self._name()
        self._skip(".")
        return TierPlace(tier, self._name())

    def _tags(self) -> tuple[str, ...] | None:
        tags = []
        while self._has(","):
            if self._has("*"):
                return None
            tags.append(self._name())
        return tuple(tags)

    def _next(self) -> Token:
        if self._at == len(self._words):
            raise _Other
        self._at += 1
        return self._words[self._at - 1]

    def _has(self, word: str) -> bool:
        """Take the word if it is the next one."""
        there = self._at < len(self._words) and self._words[self._at][1] == word
        self._at += there
        return there

    def _skip(self, *words: str) -> None:
        for word in words:
            if not self._has(word):
                raise _Other

    def _name(self) -> str:
        kind, value = self._next()
        if kind != "name":
            raise _Other
        return value

    def _seconds(self) -> int:
        kind, value = self._next()
        whole, rest = divmod(int(value), SECOND) if kind == "duration" else (0, 1)
        if rest:
            raise _Other
        return whole
