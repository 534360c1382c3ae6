"""The embedded engines as servers of the tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from provision import embedded
from provision.errors import ConfigError
from tests.servers.required import not_run
from tests.servers.running import roomy


class EmbeddedEngine:
    """An embedded engine of a new folder; as tests.servers.running.Server, as far as a test run needs it."""

    def __init__(self, kind: str, place: Path) -> None:
        self.kind = kind
        self.place = place
        self._engine = embedded.engine(kind, kind, place / ".provision")
        self._starting: Future[embedded.EngineStatus] | None = None

    @property
    def url(self) -> str:
        assert self._starting is not None
        return str(self._starting.result().url)

    def launch(self) -> None:
        """Begin to start it, in a thread: the engine itself is no child of this process."""
        pool = ThreadPoolExecutor(1)
        self._starting = pool.submit(self._engine.start)
        pool.shutdown(wait=False)

    def wait(self) -> None:
        """Return when it answers. One that is not installed is skipped, or fails where it is required."""
        assert self._starting is not None
        try:
            self._starting.result()
        except ConfigError as error:
            not_run(f"embedded {self.kind}", error.fix, self.kind)

    def ask_to_stop(self) -> None:
        """It has no way to be asked without waiting."""

    def stop(self) -> None:
        """End it and remove its folder."""
        if self._starting is not None:
            self._starting.exception()
        self._engine.reset()
        shutil.rmtree(self.place, ignore_errors=True)


@contextmanager
def embedded_url(kind: str) -> Iterator[str]:
    """The url of an embedded engine of a new folder, gone with the block."""
    engine = EmbeddedEngine(kind, Path(tempfile.mkdtemp(prefix=f"provision-{kind}-", dir=roomy())))
    engine.launch()
    try:
        engine.wait()
        yield engine.url
    finally:
        engine.stop()
