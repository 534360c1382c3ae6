"""Runs the design documents' own statements in a database without ours; nothing of them stays."""

from collections.abc import Iterable

import psycopg
import pytest

from .rows import scalar


def refusal(document: psycopg.Connection, before: Iterable[str], statement: str) -> str | None:
    """The SQLSTATE with which the statement is refused once `before` was run."""
    with document.transaction(force_rollback=True):
        for preparation in before:
            document.execute(preparation.encode())
        with pytest.raises(psycopg.Error) as caught:
            document.execute(statement.encode())
        return caught.value.sqlstate


def answer(document: psycopg.Connection, before: Iterable[str], question: str) -> object:
    """What the question yields once `before` was run."""
    with document.transaction(force_rollback=True):
        for preparation in before:
            document.execute(preparation.encode())
        return scalar(document, question)
