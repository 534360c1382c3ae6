"""The value of a Flux expression."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.parser import Node
from tests.doubles.influx2.times import Duration, Time, shown

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Of the standard library, known to be there and not evaluated here.
_ABSENT = """
chandeMomentumOscillator columns covariance cumulativeSum derivative die difference elapsed exponentialMovingAverage
fill findColumn findRecord getColumn getRecord highestMax histogram histogramQuantile holtWinters hourSelection
increase integral join keyValues median mode movingAverage quantile reduce skew stateCount stateDuration tableFind
timeShift timeWeightedAvg top truncateTimeColumn bottom tripleEMA unique wideTo window
"""
ABSENT = frozenset(_ABSENT.split())


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the script; `piped` names the parameter that takes what stands before |>."""

    parameters: Mapping[str, Node | None]
    piped: str
    body: list[Node]
    scope: Scope


class Builtin:
    """A function of Flux: called with its arguments by name, what is piped under `tables`."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name, self.call = name, call


class Scope(dict[str, Any]):
    """Names and their values. `run` knows the server."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)


def value(node: Node, scope: Scope) -> Any:
    """Raises Refused (invalid)."""
    return _KINDS[node[0]](node, scope)


def called(function: Any, arguments: dict[str, Any], piped: Any = None) -> Any:
    """Raises Refused (invalid)."""
    if isinstance(function, Builtin):
        return _builtin(function, arguments, piped)
    if not isinstance(function, Function):
        raise Refused("invalid", "compilation failed: cannot call something that is no function")
    given = dict(arguments)
    if function.piped and piped is not None:
        given[function.piped] = piped
    scope = Scope(function.scope)
    for name, default in function.parameters.items():
        if name in given:
            scope[name] = given[name]
        elif default is not None:
            scope[name] = value(default, function.scope)
        else:
            raise Refused("invalid", f"compilation failed: missing required argument {name}")
    for statement in function.body:
        if statement[0] == "return":
            return value(statement[1], scope)
        if statement[0] == "set":
            scope[statement[1]] = value(statement[2], scope)
    return None


def _builtin(function: Builtin, arguments: dict[str, Any], piped: Any) -> Any:
    given = {**arguments, **({"tables": piped} if piped is not None else {})}
    try:
        return function.call(**given)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        said = str(error).rpartition("()")[2].strip()
        raise Refused("invalid", f"compilation failed: {function.name}: {said}") from None


def _name(node: Node, scope: Scope) -> Any:
    if node[1] in scope:
        return scope[node[1]]
    if node[1] in ABSENT:
        raise Refused("not implemented", f"the double does not evaluate {node[1]}")
    raise Refused("invalid", f"compilation failed: error @1:1-1:1: undefined identifier {node[1]}")


def _get(node: Node, scope: Scope) -> Any:
    of = value(node[1], scope)
    return of.get(node[2].strip('"')) if isinstance(of, dict) else None


def _at(node: Node, scope: Scope) -> Any:
    of, index = value(node[1], scope), value(node[2], scope)
    return of.get(index) if isinstance(of, dict) else of[index]


def _call(node: Node, scope: Scope, piped: Any = None) -> Any:
    function = value(node[1], scope)
    return called(function, {name: value(each, scope) for name, each in node[2].items()}, piped)


def _pipe(node: Node, scope: Scope) -> Any:
    return _call(node[2], scope, value(node[1], scope))


def _neg(node: Node, scope: Scope) -> Any:
    return -value(node[1], scope)


def _not(node: Node, scope: Scope) -> Any:
    found = value(node[1], scope)
    return None if found is None else not found


def _record(node: Node, scope: Scope) -> Any:
    base = value(node[1], scope) if node[1] else {}
    return {**base, **{name: value(each, scope) for name, each in node[2].items()}}


def _op(node: Node, scope: Scope) -> Any:
    _, sign, left, right = node
    first = value(left, scope)
    if sign == "and":
        return bool(first) and bool(value(right, scope))
    if sign == "or":
        return bool(first) or bool(value(right, scope))
    return _applied(sign, first, value(right, scope))


def _applied(sign: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if sign in ("=~", "!~"):
        return (re.search(right.pattern, left) is not None) is (sign == "=~")
    _same_type(left, right)
    if sign in ("==", "!="):
        return (left == right) is (sign == "==")
    if sign in _ORDERED:
        return _ORDERED[sign](left, right)
    return _arithmetic(sign, left, right)


def _same_type(left: Any, right: Any) -> None:
    """Raises Refused (invalid): Flux converts nothing by itself, but time and duration go together."""
    kinds = [_kind(left), _kind(right)]
    if kinds[0] != kinds[1] and set(kinds) != {"time", "duration"}:
        raise Refused("invalid", f"compilation failed: type error: {kinds[0]} != {kinds[1]}")


def _kind(of: Any) -> str:
    for name, kind in (("bool", bool), ("time", Time), ("duration", Duration), ("int", int), ("float", float)):
        if isinstance(of, kind):
            return name
    return "string" if isinstance(of, str) else type(of).__name__


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    if isinstance(left, Time) and isinstance(right, Duration):
        return right.after(left) if sign == "+" else (-right).after(left)
    if sign == "/":
        if isinstance(left, int):
            if right == 0:
                raise Refused("invalid", "runtime error: division by zero")
            return int(left / right)
        return left / right if right else float("nan") if not left else float("inf") * (1 if left > 0 else -1)
    act = {"+": operator.add, "-": operator.sub, "*": operator.mul, "%": operator.mod, "^": operator.pow}[sign]
    return act(left, right)


def text(of: Any) -> str:
    """A value as string() writes it."""
    if isinstance(of, bool):
        return "true" if of else "false"
    if isinstance(of, Time):
        return shown(of)
    if isinstance(of, float):
        return f"{of:.17f}".rstrip("0").rstrip(".") if of == int(of) and abs(of) < 1e15 else repr(of)
    return str(of)


_KINDS: dict[str, Callable[[Node, Scope], Any]] = {
    "value": lambda node, _scope: node[1],
    "regex": lambda node, _scope: re.compile(node[1]),
    "join": lambda node, scope: "".join(text(value(each, scope)) for each in node[1]),
    "name": _name,
    "get": _get,
    "at": _at,
    "call": _call,
    "pipe": _pipe,
    "not": _not,
    "neg": _neg,
    "exists": lambda node, scope: value(node[1], scope) is not None,
    "op": _op,
    "if": lambda node, scope: value(node[2] if value(node[1], scope) else node[3], scope),
    "list": lambda node, scope: [value(each, scope) for each in node[1]],
    "record": _record,
    "function": lambda node, scope: Function(node[1], node[2], node[3], scope),
}
