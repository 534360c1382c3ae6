"""Says what went wrong in a revision: the server's words and hint, the line, the statement in short."""

from __future__ import annotations

import traceback

import psycopg
from sqlalchemy.exc import DBAPIError

from provision.errors import ProvisionError
from provision.model import Step, StoreOptions
from provision.text.raised import raised


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code, whatever driver env.py chose; empty for an error that is not the server's."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return str(getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None) or "")


def answers(error: BaseException | None) -> bool:
    """Whether what was sent last is known to have failed: the server said so, and not that it ends the session.

    Where the connection broke, or the server ended the session, the statement may have taken effect all the same; the
    error may be a later one, of what the revision did then.
    """
    while error is not None:
        code = sqlstate(error)
        if isinstance(error, DBAPIError) and (not code or code.startswith(("57P", "08"))):
            return False
        error = error.__context__
    return True


def told(error: BaseException) -> tuple[str, str]:
    """What went wrong in one line, and the server's hint."""
    if isinstance(error, ProvisionError):
        return error.what, error.fix
    orig = error.orig if isinstance(error, DBAPIError) else None
    if not isinstance(orig, psycopg.Error):
        code = f" [{sqlstate(error)}]" if sqlstate(error) else ""
        said = f"{orig}" if code else raised(error)
        return said.split("\n", 1)[0].split(">: ", 1)[-1] + code, ""
    diagnosis = orig.diag
    message = diagnosis.message_primary or str(orig).strip()
    detail = f" ({diagnosis.message_detail})" if diagnosis.message_detail else ""
    code = f" [{orig.sqlstate}]" if orig.sqlstate else ""
    return f"{message}{detail}{code}", diagnosis.message_hint or ""


def line(error: BaseException, options: StoreOptions, step: Step) -> str:
    file = (options.root / step.revision.path).resolve()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{step.revision.path}:{lines[-1]}" if lines else step.revision.path


def short(statement: str | None) -> str:
    text = " ".join((statement or "").split())
    return text if len(text) <= 80 else f"{text[:79]}…"
