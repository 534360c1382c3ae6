"""The application: `python -m tests.noon.traffic URL` works until its input ends, then prints what it saw as JSON.

Each connection writes rows of its own alone, so that no two of them wait for each other, let alone in a circle.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter

import psycopg

from tests.noon.project import CONNECTIONS, TABLES

NAME = "shop"
LONG = 5  # connections whose transactions take long
DROPPED = ("42703", "42P01")  # a column, a table that is not there
_READ = "select n from {table} where id = %s"
_JOINED = "select t.n, o.n from {table} t join orders o on o.id = t.id where t.id = %s"


class Client(threading.Thread):
    """One connection. `errors` are counted by SQLSTATE, `longest` is the slowest statement in seconds."""

    def __init__(self, url: str, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._url, self._number, self._over = url, number, over
        self._random = random.Random(number)
        self._gone: set[str] = set()
        self.errors: Counter[str] = Counter()
        self.transactions, self.longest = 0, 0.0

    def run(self) -> None:
        with psycopg.connect(self._url, application_name=NAME, prepare_threshold=None) as connection:
            while not self._over.is_set():
                try:
                    self._transaction(connection)
                    self.transactions += 1
                except psycopg.Error as error:
                    self.errors[error.sqlstate or type(error).__name__] += 1
                    connection.rollback()
                    if error.sqlstate in DROPPED:
                        self._forget(error.sqlstate, str(error))
                time.sleep(self._random.uniform(0.2, 1.5) if self._number <= LONG else self._random.uniform(0.05, 0.3))

    def _transaction(self, connection: psycopg.Connection) -> None:
        tables = self._random.sample([each for each in TABLES if each not in self._gone], 3)
        for table in tables:
            self._send(connection, self._random.choice((_READ, _READ, _JOINED)).format(table=table))
            note = "" if f"{table}.note" in self._gone else ", note = 'x'"
            self._send(connection, f"update {table} set n = n + 1{note} where id = %s")
            time.sleep(self._random.uniform(0.05, 0.35) if self._number <= LONG else 0.001)
        connection.commit()

    def _send(self, connection: psycopg.Connection, statement: str) -> None:
        began = time.monotonic()
        try:
            connection.execute(statement.encode(), (self._number,))
        finally:
            self.longest = max(self.longest, time.monotonic() - began)

    def _forget(self, code: str | None, said: str) -> None:
        """The next release of the application does without what is not there."""
        if code == "42P01":
            self._gone |= {each for each in TABLES if f'"{each}"' in said}
        else:
            self._gone |= {f"{each}.note" for each in TABLES if f'of relation "{each}"' in said}


def main(url: str) -> None:
    over = threading.Event()
    clients = [Client(url, number, over) for number in range(1, CONNECTIONS + 1)]
    for each in clients:
        each.start()
    print("ready", flush=True)
    sys.stdin.read()
    over.set()
    for each in clients:
        each.join()
    errors: Counter[str] = Counter()
    for each in clients:
        errors.update(each.errors)
    document = {
        "transactions": sum(each.transactions for each in clients),
        "longest": max(each.longest for each in clients),
        "errors": dict(errors),
    }
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
