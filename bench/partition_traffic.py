"""Writers and a reader of a table, and the longest that a statement of a writer took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

WRITERS = 2


class Traffic:
    """`insert` is sent again and again by each writer; the reader holds a transaction open for `reads` seconds."""

    def __init__(self, url: str, insert: str, read: str, reads: float) -> None:
        self._url, self._insert, self._read, self._reads = url, insert, read, reads
        self._over = threading.Event()
        self.longest, self.statements, self.errors = 0.0, 0, 0

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._writes) for _ in range(WRITERS)]
        threads.append(threading.Thread(target=self._holds))
        for each in threads:
            each.start()
        time.sleep(0.5)
        self.longest = 0.0
        try:
            yield
        finally:
            self._over.set()
            for each in threads:
                each.join()

    def _writes(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.is_set():
                began = time.perf_counter()
                try:
                    connection.execute(self._insert.encode())
                except psycopg.Error:
                    self.errors += 1
                self.longest = max(self.longest, time.perf_counter() - began)
                self.statements += 1
                time.sleep(0.002)

    def _holds(self) -> None:
        with psycopg.connect(self._url) as connection:
            while not self._over.is_set():
                connection.execute(self._read.encode())
                self._over.wait(self._reads)
                connection.rollback()


def longest_wait(url: str, insert: str, read: str, reads: float, act: Callable[[], object]) -> float:
    """Seconds that the longest statement of a writer took while `act` ran beside them. Raises when one was refused."""
    traffic = Traffic(url, insert, read, reads)
    with traffic.running():
        act()
        time.sleep(0.3)
    if traffic.errors:
        raise RuntimeError(f"{traffic.errors} statements of the writers were refused")
    return traffic.longest
