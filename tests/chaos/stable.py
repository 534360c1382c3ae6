"""Run as `python -m tests.chaos.stable FOLDER`: starts commands as children of a process that has imported everything.

A request is one JSON line on stdin, its answer one on stdout. When stdin ends, the engines of FOLDER and the folder
itself are removed, so that nothing outlives whoever asked; not with `--beside`, for commands beside those of another.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from provision.embedded import engine, process
from tests.chaos import traps
from tests.chaos.second import ENGINES

WARM = (
    "provision.cli.move",
    "provision.kinds",
    "provision.stores.postgres.migrate.alembic_lane",
    "provision.stores.postgres.store",
    "provision.stores.clickhouse.store",
    "provision.stores.redis.store",
    "provision.stores.influx.store",
    "provision.stores.weaviate.store",
    "provision.stores.arango.store",
    "urllib3",
    "redis",
    "clickhouse_connect",
)
AFTER_ABORT = 5.0  # seconds for the traceback of a run that hangs


def main(folder: Path, *, owner: bool) -> None:
    """Answer requests until stdin ends; the owner of the folder then removes it."""
    os.chdir(folder)
    for name in WARM:
        importlib.import_module(name)
    try:
        for line in sys.stdin:
            answer = _run(folder, json.loads(line))
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        if owner:
            for store, kind in ENGINES.items():
                engine(kind, store, folder / ".provision").reset()
            shutil.rmtree(folder)


def _run(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    Path(request["err"]).write_bytes(b"")
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(request)
    descriptor = os.pidfd_open(pid)
    hung = False
    begun = 0.0
    try:
        if not request["kill_early"]:
            while not _ended(descriptor, 0.002) and not os.path.getsize(request["err"]):
                pass
            begun = time.monotonic() - began
        kill_after = request["kill_after"]
        if kill_after is not None and not _ended(descriptor, kill_after):
            _kill(pid, request["engine"])
            if request["again"]:
                engine(ENGINES[request["engine"]], request["engine"], folder / ".provision").start()
        if not _ended(descriptor, request["limit"]):
            hung = True
            os.kill(pid, signal.SIGABRT)
            if not _ended(descriptor, AFTER_ABORT):
                os.kill(pid, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "seconds": time.monotonic() - began, "begun": begun, "hung": hung}


def _kill(pid: int, store: str) -> None:
    """Kill the run, or the engine of that store by the pid that its folder records."""
    running = process.running(Path(".provision") / store) if store else None
    if not store:
        os.kill(pid, signal.SIGKILL)
    elif running is not None:
        os.kill(running.pid, signal.SIGKILL)


def _ended(descriptor: int, seconds: float) -> bool:
    """True when the child has ended within `seconds`; it is a zombie then, so that its pid is still its own."""
    return bool(select.select([descriptor], [], [], seconds)[0])


def _child(request: dict[str, Any]) -> None:
    code = 70
    try:
        out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        err = os.open(request["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for given, number in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(given, number)
        os.environ.update(request["environment"])
        program = Path(sys.executable).with_name("provision")
        if request["bare"]:
            os.execv(program, [str(program), *request["arguments"]])
        faulthandler.enable()
        if request["record"]:
            traps.record(Path(request["record"]))
        if request["trap"]:
            traps.spring(request["trap"])
        sys.argv = [str(program), *request["arguments"]]
        code = importlib.import_module("provision.cli.main").run(request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    os._exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]), owner="--beside" not in sys.argv)
