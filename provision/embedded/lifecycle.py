"""The life of one engine, the same for every kind: absent → stopped ⇄ running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from signal import Signals

from provision.embedded import process, record
from provision.embedded.engines import EngineStatus
from provision.embedded.faults import did_not_end, did_not_start, folder_faults, last_words
from provision.embedded.files import remove
from provision.embedded.kinds import EngineServer, server_of
from provision.embedded.lock import locked
from provision.embedded.process import Process
from provision.embedded.record import Record

ATTEMPTS = 5
ANSWER_S = 60.0
LOG_BYTES = 4 << 20
LAUNCH = Path(__file__).with_name("launch.py")


class LocalEngine:
    """An engine whose files are `root`/`store`: `data`, `engine.json`, `pid`, `log`. Its lock lies beside them."""

    def __init__(self, kind: str, store: str, root: Path) -> None:
        self.kind = kind
        self.store = store
        self.root = Path(os.path.abspath(root))
        self.folder = self.root / store
        self.server: EngineServer = server_of(kind, store, self.folder)
        self._lock = self.root / f"{store}.lock"

    def start(self) -> EngineStatus:
        """See Engine.start."""
        if self._answers():
            return self._status(started=True)
        self.server.require()
        with folder_faults(self.root, self.store):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._lock) as lock:
                self._start_locked(lock)
        return self._status(started=True)

    def start_existing(self) -> EngineStatus | None:
        """See Engine.start_existing."""
        return self.start() if self.server.is_made(record.load(self.folder, self.kind)) else None

    def stop(self) -> bool:
        """See Engine.stop."""
        if not self.folder.exists():
            return False
        with folder_faults(self.root, self.store), locked(self._lock):
            return self._stop_locked()

    def status(self) -> EngineStatus:
        """See Engine.status."""
        return self._status()

    def _status(self, *, started: bool = False) -> EngineStatus:
        """One that was `started` has its url even where it was killed since: who connects hears that nobody answers."""
        known = record.load(self.folder, self.kind)
        running = process.running(self.folder)
        made = running is not None or self.server.is_made(known)
        return EngineStatus(
            store=self.store,
            kind=self.kind,
            state="running" if running else "stopped" if made else "absent",
            version=known.version if made else None,
            url=self.server.url(known) if running or (started and self.server.has_address(known)) else None,
            path=str(self.server.data(known)),
            pid=running.pid if running else None,
        )

    def reset(self) -> bool:
        """See Engine.reset."""
        if not os.path.lexists(self.folder):
            if self.root.is_dir():
                self._lock.unlink(missing_ok=True)
            return False
        with folder_faults(self.root, self.store), locked(self._lock, remove=True):
            if (running := process.running(self.folder)) is not None:
                self._end(running, ((self.server.gone_signal, 5.0),))  # nothing need be written any more
            self.server.discard(record.load(self.folder, self.kind))
            remove(self.folder)
        return True

    def _answers(self) -> bool:
        running = process.running(self.folder)
        return running is not None and record.load(self.folder, self.kind).ready == str(running)

    def _start_locked(self, lock: int) -> None:
        if self._answers():
            return
        running = process.running(self.folder)
        known = record.load(self.folder, self.kind)
        if running is not None:
            if self.server.has_address(known) and self._await(running, 0):
                return
            self._end(running, self.server.stop_signals)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if not self.server.is_made(known):
            known = self.server.make(known)
        for _ in range(ATTEMPTS):
            known = self.server.prepare(known)
            record.save(self.folder, replace(known, ready=None))
            begin = self._log_size()
            launched = self._launch(known, lock)
            if launched is not None and self._await(launched, begin):
                return
            words = last_words(self._log, begin)
            # Who took a port may be gone again: connections of other programs begin on ports of this range.
            if not self.server.was_bad_luck(known) and "address already in use" not in words:
                break
        raise did_not_start(self.kind, self.store, self._log, words)

    def _launch(self, known: Record, lock: int) -> Process | None:
        """Start the server; None when it has ended at once."""
        command = self.server.command(known)
        argv = [sys.executable, "-I", "-S", str(LAUNCH), str(self.folder), str(self.server.data(known))]
        argv += [str(command.cwd), command.user, str(int(self.server.gone_signal)), str(lock), *command.argv]
        with open(self._log, "ab", opener=_private) as log:
            subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=command.env,
                cwd="/",
                check=False,
                pass_fds=(lock,),
            )
        return process.running(self.folder)

    def _await(self, running: Process, begin: int) -> bool:
        """Wait until the engine answers and note that it does; False when it has ended before."""
        deadline = time.monotonic() + ANSWER_S
        pause = 0.003
        known = record.load(self.folder, self.kind)
        while process.mark_of(running.pid) == running.mark:
            version = self.server.answer(known)
            if version is not None:
                record.save(self.folder, replace(known, version=version, ready=str(running)))
                return True
            if time.monotonic() > deadline:
                raise did_not_start(self.kind, self.store, self._log, last_words(self._log, begin))
            time.sleep(pause)
            pause = min(pause * 1.3, 0.05)
        return False

    def _stop_locked(self) -> bool:
        running = process.running(self.folder)
        if running is None:
            return False
        self._end(running, self.server.stop_signals)
        return True

    def _end(self, running: Process, signals: Sequence[tuple[Signals, float]]) -> None:
        if not process.end(running, signals):
            raise did_not_end(self.kind, self.store, running.pid)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _log_size(self) -> int:
        """Return where the log goes on; one that has grown large begins anew."""
        size = self._log.stat().st_size if self._log.exists() else 0
        if size > LOG_BYTES:
            os.truncate(self._log, 0)
            return 0
        return size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
