"""Start the server of an engine's folder, serve until SIGTERM, end in order.

    python -P -m provision.embedded.clickhouse_server FOLDER

Port and password come from FOLDER/engine.json, the data from FOLDER/data.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from provision.embedded import record
from provision.embedded.loopback import HOST

SWEEP_S = 5.0
UNFINISHED_S = 5.0


class Server(ThreadingHTTPServer):
    """A thread per connection; counts the requests that run."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True


def main(folder: Path) -> int:
    """Serve. Ends with 98 when the port is taken."""
    known = record.load(folder, "clickhouse")
    assert known.port is not None
    assert known.password is not None
    from provision.embedded.clickhouse_server.clients import Clients
    from provision.embedded.clickhouse_server.protocol import HttpConnection, Service

    try:
        server = Server((HOST, known.port), HttpConnection)
    except OSError as error:
        sys.stderr.write(f"error: port {known.port}: {error}\n")
        return 98
    engine = _open_engine(folder / "data")
    first = engine()
    row = first.query("SELECT version(), timezone(), hostName()", "TabSeparatedRaw").bytes().decode().rstrip("\n")
    clients = Clients(engine)
    HttpConnection.service = Service(clients, known.password, *row.split("\t"))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_sweep, args=(clients,), daemon=True).start()
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    _cancel_all(engine())
    first.close()
    return 0


def _open_engine(data: Path) -> Any:
    """Return what opens a client on `data`.

    A `?` in a path would end it for chDB, so it gets a path from the working folder. By default it takes `1` for a
    statement, which a server does not.
    """
    chdb = importlib.import_module("chdb._chdb")
    place = f"{os.path.relpath(data)}?implicit_select=0"
    return lambda: chdb.connect(place)


def _sweep(clients: Any) -> None:
    while True:
        time.sleep(SWEEP_S)
        clients.sweep()


def _cancel_all(client: Any) -> None:
    """Cancel what still runs, and give it a moment to end."""
    deadline = time.monotonic() + UNFINISHED_S
    others = "SELECT count() FROM system.processes WHERE query NOT LIKE '%system.processes%'"
    while int(client.query(others, "TabSeparated").bytes()) and time.monotonic() < deadline:
        client.query("KILL QUERY WHERE query NOT LIKE '%system.processes%' ASYNC", "Null")
        time.sleep(0.02)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)  # threads of idle connections would keep the interpreter from ending
