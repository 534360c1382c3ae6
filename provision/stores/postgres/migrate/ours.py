"""Statements of provision's own on the connection that env.py chose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OurStatements:
    """`busy` while one is sent: what watches the connection lets it pass."""

    def __init__(self) -> None:
        self.connection: Any = None
        self.busy = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """What is sent while the block runs is ours."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def send(self, *texts: str) -> Any:
        """The result of the last one. Raises DBAPIError."""
        with self.sending():
            return [self.connection.exec_driver_sql(text) for text in texts][-1]

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises DBAPIError."""
        rows: list[tuple[Any, ...]] = self.send(question).fetchall()
        return rows
