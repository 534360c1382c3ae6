"""The process of a lane: started as a script, it runs Alembic for the process that started it.

`own_process_child.py CONNECTION UNTIL LIFE`: three descriptors. It ends with LIFE, at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection


def begin(connection: int, until: int, life: int) -> int:
    """Become a process like the one that started this: its import path, then its lane."""
    asked = Connection(connection)
    threading.current_thread().watched = True  # type: ignore[attr-defined]  # the run sees to silence, see `threads`
    # Ctrl-C reaches the whole group: the run decides what it means.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    os.dup2(2, 1)  # what env.py and revisions print is no part of the run's document
    try:
        sys.path[:] = asked.recv()
    except (EOFError, ConnectionError):
        os._exit(1)  # the run is gone
    from provision.stores.postgres.migrate import own_process_lane

    return own_process_lane.run(asked, until)


def _end_with(life: int) -> None:
    os.read(life, 1)  # nothing is ever written: it returns when the other end is closed
    os._exit(1)


if __name__ == "__main__":
    sys.exit(begin(*map(int, sys.argv[1:])))
