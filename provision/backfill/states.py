"""What may follow what in the life of a run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from provision.errors import RefusedError
from provision.model.backfills import BackfillRun, RunState

_R = RunState

# (state, next state) → when. What is not here is refused.
TRANSITIONS: Mapping[tuple[RunState, RunState], str] = {
    (_R.ENQUEUED, _R.RUNNING): "a process takes it up",
    (_R.ENQUEUED, _R.PAUSED): "paused before a process took it up",
    (_R.ENQUEUED, _R.CANCELLED): "cancelled before a process took it up",
    (_R.ENQUEUED, _R.INTERRUPTED): "the process that made it ended before its first batch",
    (_R.RUNNING, _R.PAUSING): "someone asks for a pause; the batch in hand goes on",
    (_R.RUNNING, _R.CANCELLING): "someone asks for its end; the batch in hand goes on",
    (_R.RUNNING, _R.INTERRUPTED): "Ctrl-C, the server went away, or its process was found dead",
    (_R.RUNNING, _R.SUCCEEDED): "nothing is left, and `verify` holds",
    (_R.RUNNING, _R.INCOMPLETE): "nothing is left but rows that were passed over",
    (_R.RUNNING, _R.ERRORED): "rows cannot be filled, or the schema is not what it was",
    (_R.PAUSING, _R.PAUSED): "the batch in hand is done",
    (_R.PAUSING, _R.RUNNING): "asked to go on before the pause was reached",
    (_R.PAUSING, _R.CANCELLING): "cancelled before the pause was reached",
    (_R.PAUSING, _R.INTERRUPTED): "its process ended before the pause was reached",
    (_R.PAUSING, _R.SUCCEEDED): "the batch in hand was the last",
    (_R.PAUSING, _R.INCOMPLETE): "the batch in hand was the last, and rows were passed over",
    (_R.PAUSING, _R.ERRORED): "the batch in hand cannot be filled",
    (_R.PAUSED, _R.ENQUEUED): "asked to go on; the waiting process, or a new one, takes it up",
    (_R.PAUSED, _R.CANCELLED): "cancelled while nothing was in hand",
    (_R.INTERRUPTED, _R.ENQUEUED): "asked to go on",
    (_R.INTERRUPTED, _R.CANCELLED): "given up",
    (_R.CANCELLING, _R.CANCELLED): "the batch in hand is done, or its process was found dead",
    (_R.ERRORED, _R.ENQUEUED): "tried again from where it stopped",
    (_R.ERRORED, _R.CANCELLED): "given up",
    (_R.INCOMPLETE, _R.ENQUEUED): "what was passed over is tried again",
    (_R.INCOMPLETE, _R.CANCELLED): "given up",
}

# What a person may ask for → the state that follows, by the state it is in; what is not here cannot be asked for.
PAUSE: Mapping[RunState, RunState] = {_R.RUNNING: _R.PAUSING, _R.ENQUEUED: _R.PAUSED}
RESUME: Mapping[RunState, RunState] = {
    _R.PAUSING: _R.RUNNING,
    _R.PAUSED: _R.ENQUEUED,
    _R.INTERRUPTED: _R.ENQUEUED,
    _R.ERRORED: _R.ENQUEUED,
    _R.INCOMPLETE: _R.ENQUEUED,
}
CANCEL: Mapping[RunState, RunState] = {
    _R.RUNNING: _R.CANCELLING,
    _R.PAUSING: _R.CANCELLING,
    _R.ENQUEUED: _R.CANCELLED,
    _R.PAUSED: _R.CANCELLED,
    _R.INTERRUPTED: _R.CANCELLED,
    _R.ERRORED: _R.CANCELLED,
    _R.INCOMPLETE: _R.CANCELLED,
}


def moved(run: BackfillRun, state: RunState, now: datetime, **fields: object) -> BackfillRun:
    """The run in its next state, one version further. Raises RefusedError (run-illegal)."""
    if (run.state, state) not in TRANSITIONS:
        raise RefusedError(
            "run-illegal",
            f"run {run.run} of backfill {run.backfill} is {run.state} and cannot become {state}",
            where=f"run {run.run}, begun {run.started_at:%Y-%m-%d %H:%M} UTC by {run.owner}",
            fix=f"`provision backfill status {run.backfill}` shows how it stands; then ask again",
        )
    return replace(run, state=state, touched_at=now, version=run.version + 1, **fields)  # type: ignore[arg-type]  # by name


def seen(run: BackfillRun, *, led: bool) -> RunState:
    """The state as people should read it: one that nobody leads any more is interrupted, whatever its log says last."""
    if led:
        return run.state
    asleep = {_R.RUNNING: _R.INTERRUPTED, _R.PAUSING: _R.INTERRUPTED, _R.CANCELLING: _R.CANCELLED}
    return asleep.get(run.state, run.state)
