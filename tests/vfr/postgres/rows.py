"""Questions that the tests of this folder ask in one line; the rows come from the factory."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from ..factories.postgres import ACME_USER, GLOBEX_USER, MODEL, VALID, insert, insert_base

__all__ = ["ACME_USER", "GLOBEX_USER", "MODEL", "VALID", "insert", "insert_base", "refused", "scalar"]


def scalar(connection: psycopg.Connection, query: str, *parameters: object) -> object:
    """The only value of the only row of `query`."""
    (row,) = connection.execute(query, parameters).fetchall()
    return row[0]


@contextmanager
def refused(connection: psycopg.Connection, constraint: str) -> Iterator[None]:
    """The block is refused by the constraint, key or unique index of that name."""
    with pytest.raises(psycopg.IntegrityError) as caught, connection.transaction():
        yield
    assert caught.value.diag.constraint_name == constraint
