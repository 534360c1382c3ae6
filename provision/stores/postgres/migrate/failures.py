"""Says what went wrong in a revision: the server's words and hint, the line, the statement in short."""

from __future__ import annotations

import traceback
from typing import Any

import psycopg
from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError

from provision.errors import ProvisionError
from provision.model import Step, StoreOptions
from provision.stores.postgres.server import GONE, broke
from provision.text.raised import raised

_CORRECT = "correct the revision and run the same command again"
_ENDED = (
    "the connection ended in the statement: see that the server runs, then run the same command again, which finds out"
    " what became of it"
)
# A table, an object, a column, a schema, a function is there already.
_ALREADY_THERE = ("42P07", "42710", "42701", "42P06", "42723")
CANCELED = "57014"
_LIMITS = {
    CANCELED: "statement_timeout",
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
}
_LIMIT = "select current_setting(name), source from pg_settings where name = %s"
_SOURCES = {
    "user": "the role (ALTER ROLE … SET)",
    "database": "the database (ALTER DATABASE … SET)",
    "database user": "the role in this database (ALTER ROLE … IN DATABASE … SET)",
    "configuration file": "the server",
    "command line": "the server",
}


def _of_driver(error: BaseException) -> BaseException | None:
    """The error of the driver, whatever driver env.py chose, and also where it was asked without SQLAlchemy."""
    if isinstance(error, DBAPIError):
        return error.orig
    return error if isinstance(error, psycopg.Error) else None


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code; empty for an error that is not the server's."""
    orig = _of_driver(error)
    return str(getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None) or "")


def _broke(error: BaseException) -> bool:
    """Whether an error without a code says that the connection broke."""
    if not isinstance(error, DBAPIError):
        return broke(error)
    of_class = isinstance(error, exc.OperationalError | exc.InterfaceError) or type(error) is exc.DatabaseError
    return of_class or error.connection_invalidated


def answers(error: BaseException | None) -> bool:
    """Whether what was sent last is known to have failed: the server said so, and not that it ends the session.

    Where the connection broke, or the server ended the session, the statement may have taken effect all the same; the
    error may be a later one, of what the revision did then.
    """
    while error is not None:
        code = sqlstate(error)
        if code.startswith(GONE) or (not code and _broke(error)):
            return False
        error = error.__context__
    return True


def told(error: BaseException) -> tuple[str, str]:
    """What went wrong in one line, and the server's hint."""
    if isinstance(error, ProvisionError):
        return error.what, error.fix
    orig = _of_driver(error)
    if not isinstance(orig, psycopg.Error):
        code = f" [{sqlstate(error)}]" if sqlstate(error) else ""
        said = f"{orig}" if code else raised(error)
        return said.split("\n", 1)[0].split(">: ", 1)[-1] + code, ""
    diagnosis = orig.diag
    message = diagnosis.message_primary or str(orig).strip()
    detail = f" ({diagnosis.message_detail})" if diagnosis.message_detail else ""
    code = f" [{orig.sqlstate}]" if orig.sqlstate else ""
    return f"{message}{detail}{code}", diagnosis.message_hint or ""


def advice(error: BaseException, number: int, own: psycopg.Connection[Any], options: StoreOptions, step: Step) -> str:
    """What to do about an error of statement `number` for which the server has no hint.

    Asks, on our `own` connection, who set a limit.
    """
    code = sqlstate(error)
    if not answers(error):
        return _ENDED
    if code in _ALREADY_THERE and number == 1:  # behind others that were done, it is the revision that is wrong
        return (
            f"if it was made by hand or by another tool, `provision baseline {step.id}` marks what is there without"
            f" running it; else {_CORRECT}"
        )
    name = _LIMITS.get(code, "")
    if not name or (code == CANCELED and "statement timeout" not in str(error)):
        return _CORRECT
    setting, source = own.execute(_LIMIT, (name,)).fetchone() or ("", "")
    of = _SOURCES.get(source)
    given = f"the limit of {setting} is that of {of}" if of else "the revision or env.py sets the limit"
    if name == "statement_timeout":
        return f'{given}: write statement_timeout = "…" in [stores.{options.name}] or in the head of the revision'
    return f"{given}: raise it there, or end the transaction sooner"


def line(error: BaseException, options: StoreOptions, step: Step) -> str:
    file = (options.root / step.revision.path).resolve()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{step.revision.path}:{lines[-1]}" if lines else step.revision.path


def short(statement: str | None) -> str:
    text = " ".join((statement or "").split())
    return text if len(text) <= 80 else f"{text[:79]}…"
