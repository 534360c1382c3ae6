"""What PostgreSQL says against a batch, or against the log of its run, in our words."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from provision.backfill import advice
from provision.errors import FailedError, ProvisionError, UnreachableError
from provision.stores.postgres.server import GONE, Connection, broke

# What may well be answered a little later.
IN_THE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.QueryCanceled,
)
_SCHEMA = ("42", "3F")


@dataclass(frozen=True, slots=True)
class ErrorSubject:
    """What was asked for: a store, the table that is filled, the document, the backfill's name."""

    store: str
    table: str = ""
    where: str = ""
    name: str = "NAME"


def refusal(error: psycopg.Error, subject: ErrorSubject, connection: Connection) -> ProvisionError:
    """UnreachableError, or FailedError (disk-full, no-privilege, schema-changed, batch-refused)."""
    what, state = shown(error), error.sqlstate or ""
    if connection.closed or broke(error) or state.startswith(GONE):
        fix = "start the server, or correct the url"
        text = f"{subject.store} does not answer: {what}"
        return UnreachableError("unreachable", text, where=connection.place, fix=fix)
    where = subject.where or subject.store
    if state == "53100":
        fix = advice.resume(subject.name, "free some space")
        return FailedError("disk-full", f"{subject.store} has no space left: {what}", where=where, fix=fix)
    if state == "42501":
        return FailedError("no-privilege", f"{subject.store}: {what}", where=where, fix=_grant(what, subject))
    if state[:2] in _SCHEMA:
        fix = advice.resume_or_anew(subject.name, "bring the schema back")
        return FailedError("schema-changed", f"the schema changed under the run: {what}", where=where, fix=fix)
    fix = advice.resume_or_anew(subject.name, "remove the cause")
    return FailedError("batch-refused", f"{subject.store}: {what}", where=where, fix=fix)


def shown(error: psycopg.Error) -> str:
    """The server's own line."""
    return str(error.diag.message_primary or error).strip()


def _grant(what: str, subject: ErrorSubject) -> str:
    if not subject.table or " backfill_" in what or what.endswith(" schema provision"):
        return "grant usage on schema provision, and select, insert, update on its tables, to the user of the url"
    return f"grant select, update on {subject.table} to the user of the url"
