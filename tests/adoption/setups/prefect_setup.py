"""What Prefect's own command gives env.py: an event loop, which that asks for as a worker thread of anyio would."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.config import Config
from anyio.from_thread import start_blocking_portal
from prefect.utilities import asyncutils


@contextmanager
def prepare(config: Config) -> Iterator[None]:  # noqa: ARG001
    with start_blocking_portal() as portal:
        asyncutils.run_async_from_worker_thread = portal.call
        yield
