"""A saved plan: what `plan --out` writes and `up --plan` reads."""

from __future__ import annotations

import json
from pathlib import Path

from provision.core.graph import Graph
from provision.errors import ConfigError
from provision.model import Direction, Plan, Step

FORMAT = 2


def save(plan: Plan, environment: str, file: Path) -> None:
    """Write the plan: ids, states, checksums; no SQL, no secret. Raises ConfigError (unwritable-file)."""
    document = {
        "format": FORMAT,
        "environment": environment,
        "steps": [{"id": step.id, "checksum": step.revision.checksum} for step in plan.steps],
        "digest": dict(plan.digest),
        "basis": {store: dict(lines) for store, lines in plan.basis.items()},
    }
    try:
        file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            "unwritable-file",
            f"{file} cannot be written: {_why(error)}",
            where=str(file),
            fix="name a file in a folder that exists and may be written",
        ) from None


def load(file: Path, graph: Graph, environment: str) -> Plan:
    """Read a saved plan against the files of now. Raises ConfigError (plan-invalid, plan-environment)."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, this version reads format {FORMAT}")
        named, steps, digest, basis = (document[key] for key in ("environment", "steps", "digest", "basis"))
        if not (isinstance(digest, dict) and all(isinstance(lines, dict) for lines in basis.values())):
            raise TypeError
        known = tuple(
            Step(graph.revisions[each["id"]], Direction.UP) for each in steps if each["id"] in graph.revisions
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            "plan-invalid",
            f"{file} is no saved plan: {_why(error)}",
            where=str(file),
            fix="make one: provision plan --out FILE",
        ) from None
    if named != environment:
        raise ConfigError(
            "plan-environment",
            f"the plan was made for {named}, not for {environment}",
            where=str(file),
            fix=f"run with --env {named}, or make the plan again",
        )
    return Plan(known, digest=digest, basis=basis)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "it is not JSON"
    if isinstance(error, TypeError | AttributeError):
        return "it holds something else"
    return str(error)
