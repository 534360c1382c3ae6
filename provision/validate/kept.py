"""A kept result of a check as JSON, for stores that keep documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from provision.model import schema
from provision.model.checks import CheckSeverity, Result, Status, StoredResult, ValidationRun

_NOT_KEPT = ("samples", "new", "place", "owner", "tags")


def to_json(run: ValidationRun, result: Result) -> str:
    """The result with its run, in one line, without samples."""
    kept = {name: value for name, value in asdict(result).items() if name not in _NOT_KEPT}
    told = {"run": {**asdict(run), "at": run.at.isoformat()}, **kept}
    return json.dumps(schema.numbered(told), ensure_ascii=False)


def from_json(text: str) -> StoredResult:
    """Raises RefusedError (newer-schema), and KeyError, TypeError or ValueError for the text of something else.

    What a later release says beside is passed by.
    """
    given = schema.unnumbered(json.loads(text), "results of checks")
    told = _of(ValidationRun, given["run"])
    run = ValidationRun(**{**told, "at": datetime.fromisoformat(told["at"])})
    kept = _of(Result, given)
    judged = {"severity": CheckSeverity(kept["severity"]), "status": Status(kept["status"])}
    return StoredResult(run, Result(**{**kept, **judged}))


def _of(made: type[Result | ValidationRun], told: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: told[each.name] for each in fields(made) if each.name in told}
