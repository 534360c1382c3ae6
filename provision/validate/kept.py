"""A kept result of a check as JSON, for stores that keep documents."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from provision.model.checks import CheckSeverity, Result, Status, StoredResult, ValidationRun

_NOT_KEPT = ("samples", "new", "place")


def to_json(run: ValidationRun, result: Result) -> str:
    """The result with its run, in one line, without samples."""
    fields = {name: value for name, value in asdict(result).items() if name not in _NOT_KEPT}
    return json.dumps({"run": {**asdict(run), "at": run.at.isoformat()}, **fields}, ensure_ascii=False)


def from_json(text: str) -> StoredResult:
    """Raises KeyError, TypeError or ValueError for the text of something else."""
    fields = json.loads(text)
    told = fields.pop("run")
    run = ValidationRun(**{**told, "at": datetime.fromisoformat(told["at"])})
    return StoredResult(
        run, Result(**{**fields, "severity": CheckSeverity(fields["severity"]), "status": Status(fields["status"])})
    )
