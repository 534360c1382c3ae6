"""What the figures of a check were in the run before, beside what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from provision.model.checks import Result


def beside_before(result: Result, before: Mapping[str, float]) -> Result:
    """The result with the figures of the run before, in its message too; as it is where it has none of its own."""
    if not result.figures:
        return result
    if not before:
        return replace(result, message=f"{result.message}; no run before to compare with".removeprefix("; "))
    return replace(result, before=before, message=f"{result.message}; {_told(result, before)}".removeprefix("; "))


def _told(result: Result, before: Mapping[str, float]) -> str:
    names = ["p95_ms"] if result.kind == "latency" else [name for name in result.figures if name in before]
    return "; ".join(_one(name, before.get(name), result.figures[name]) for name in names)


def _one(name: str, was: float | None, now: float) -> str:
    return f"before {_change(was, now, ' ms')}" if name == "p95_ms" else f"before {name} {_change(was, now, '')}"


def _change(was: float | None, now: float, unit: str) -> str:
    if was is None:
        return "not measured"
    ratio = f" ({now / was:.2f} ×)" if was else ""
    return f"{was:.3g}{unit}{ratio}"
