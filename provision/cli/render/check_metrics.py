"""What checks found as a Prometheus text file, such as node_exporter's textfile collector reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from provision.errors import FailedError
from provision.flows.validate import Validation
from provision.model.checks import Result, Status
from provision.text.visible import visible

_OF_CHECKS: tuple[tuple[str, str, Callable[[Result, Validation], float]], ...] = (
    ("bad_rows", "Rows that the check calls bad; 0 or 1 where no single row is bad.", lambda it, _: it.bad),
    ("rows", "Rows that the check looked at.", lambda it, _: it.total),
    ("fails_run", "1 where the check alone ends the run with 1.", lambda it, found: int(found.fails_run(it))),
    ("duration_seconds", "How long the statement took that counted it.", lambda it, _: it.duration_ms / 1000),
)


def write(path: Path, project: str, found: Validation) -> None:
    """Put the file in the place of an earlier one at once, so that no reader sees half. Raises FailedError."""
    beside = path.parent / f".{path.name}.{os.getpid()}"
    try:
        beside.write_text(metrics(project, found), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):  # where nothing can be written, nothing can be removed
            beside.unlink(missing_ok=True)
        what = f"the metrics could not be written: {(error.strerror or str(error)).lower()}"
        raise FailedError("report-lost", what, where=str(path), fix="choose another place") from None


def metrics(project: str, found: Validation) -> str:
    """The text; one sample of each metric for each check, and of `status` the one that it has."""
    run = {"project": project, "environment": found.run.environment}
    lines = [*_head("validation_timestamp_seconds", "When the validation began.")]
    lines.append(_sample("validation_timestamp_seconds", run, found.run.at.timestamp()))
    for name, text, value in _OF_CHECKS:
        lines += _head(f"check_{name}", text)
        lines += [_sample(f"check_{name}", run | _labels(each), value(each, found)) for each in found.results]
    lines += _head("check_status", f"1 for the status that the check has: {', '.join(Status)}.")
    lines += [_sample("check_status", run | _labels(each) | {"status": each.status}, 1) for each in found.results]
    return "\n".join(lines) + "\n"


def _head(name: str, text: str) -> Iterator[str]:
    yield f"# HELP provision_{name} {text}"
    yield f"# TYPE provision_{name} gauge"


def _labels(each: Result) -> dict[str, str]:
    labels = {"suite": each.suite, "store": each.store, "table": each.table, "check": each.check}
    return labels | {"severity": str(each.severity), "owner": each.owner}


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    listed = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"provision_{name}{{{listed}}} {value!r}"


def _escaped(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
