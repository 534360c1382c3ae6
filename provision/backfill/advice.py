"""What leads on from a run that ended, as commands to type: the fix of its errors."""

from __future__ import annotations


def resume(backfill: str, first: str) -> str:
    """Where the file stays as it is: an edited one is not gone on with."""
    return f"{first}, then `provision backfill resume {backfill}`"


def resume_or_anew(backfill: str, first: str, change: str = "the file is to change") -> str:
    """Where the file may be what has to change; rows that are filled already are left as they are by a new run."""
    cancel, run = f"`provision backfill cancel {backfill}`", f"`provision backfill run {backfill}`"
    return f"{resume(backfill, first)}; where {change}, {cancel}, edit it, then {run}"
