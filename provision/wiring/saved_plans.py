"""A saved plan: what `plan --out` writes, `plan show` shows and `up --plan` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from provision.core.graph import Graph
from provision.errors import ConfigError
from provision.model import Direction, Plan, Step
from provision.model.plans import ObjectDigests, PlannedStep, SavedPlan, TableLock
from provision.text.written import NAMED_BY_THE_USER, writing

FORMAT = 3


def save(plan: SavedPlan, file: Path) -> None:
    """Write it: the same letters for the same plan, no secret. Raises ConfigError (unwritable-file)."""
    with writing(str(file), file, NAMED_BY_THE_USER):
        file.write_text(json.dumps(document(plan), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def document(plan: SavedPlan) -> dict[str, Any]:
    """The plan as JSON has it, sealed: a file that was edited since is none."""
    body = _body(plan)
    return {**body, "seal": _seal(body)}


def _body(plan: SavedPlan) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "project": plan.project,
        "environment": plan.environment,
        "steps": [_step(each) for each in plan.steps],
        "held": {name: list(waits) for name, waits in sorted(plan.held.items())},
        "digest": dict(plan.digest),
        "basis": {store: dict(lines) for store, lines in plan.basis.items()},
        "objects": {
            store: {"names": None if each.names is None else list(each.names), "digests": dict(each.digests)}
            for store, each in sorted(plan.objects.items())
        },
    }


def read(file: Path) -> SavedPlan:
    """Raises ConfigError (plan-invalid)."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}, this version reads format {FORMAT}")
        if found.pop("seal") != _seal(found):
            raise ValueError("it was edited after it was made")
        return _plan(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            "plan-invalid",
            f"{file} is no saved plan: {_why(error)}",
            where=str(file),
            fix="make one: `provision plan --out FILE`",
        ) from None


def _seal(body: Mapping[str, Any]) -> str:
    """Of what it says, however it is spaced."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def against(saved: SavedPlan, file: Path, graph: Graph, project: str, environment: str) -> Plan:
    """A saved plan with the files of now. Raises ConfigError (plan-environment)."""
    if saved.project != project:
        raise ConfigError(
            "plan-environment",
            f"the plan was made for the project {saved.project}, not for {project}",
            where=str(file),
            fix="make a plan of this one: `provision plan --out FILE`",
        )
    if saved.environment != environment:
        raise ConfigError(
            "plan-environment",
            f"the plan was made for {saved.environment}, not for {environment}",
            where=str(file),
            fix=f"run with --env {saved.environment}, or make the plan again",
        )
    known = [Step(graph.revisions[each.id], Direction.UP) for each in saved.steps if each.id in graph.revisions]
    return Plan(tuple(known), digest=saved.digest, basis=saved.basis)


def _step(each: PlannedStep) -> dict[str, Any]:
    return {
        "id": each.id,
        "description": each.description,
        "checksum": each.checksum,
        "statements": None if each.statements is None else list(each.statements),
        "reason": each.reason or None,
        "destructive": list(each.destructive),
        "locks": None if each.locks is None else [each._asdict() for each in each.locks],
        "touches": list(each.touches),
        "unknown": each.unknown or None,
    }


def _plan(found: Mapping[str, Any]) -> SavedPlan:
    return SavedPlan(
        str(found["project"]),
        str(found["environment"]),
        tuple(map(_planned, found["steps"])),
        {name: tuple(waits) for name, waits in found["held"].items()},
        dict(found["digest"].items()),
        {store: dict(lines.items()) for store, lines in found["basis"].items()},
        {store: _objects(each) for store, each in found["objects"].items()},
    )


def _planned(each: Mapping[str, Any]) -> PlannedStep:
    locks = each["locks"]
    return PlannedStep(
        str(each["id"]),
        str(each["description"]),
        str(each["checksum"]),
        None if each["statements"] is None else tuple(map(str, each["statements"])),
        str(each["reason"] or ""),
        tuple(map(str, each["destructive"])),
        None if locks is None else tuple(TableLock(one["table"], one["mode"]) for one in locks),
        tuple(map(str, each["touches"])),
        str(each["unknown"] or ""),
    )


def _objects(each: Mapping[str, Any]) -> ObjectDigests:
    names = each["names"]
    return ObjectDigests(None if names is None else tuple(map(str, names)), dict(each["digests"].items()))


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "it is not JSON"
    if isinstance(error, TypeError | AttributeError | RecursionError):
        return "it holds something else"
    return str(error)
