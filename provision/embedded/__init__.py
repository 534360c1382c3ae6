"""Local engines in `.provision/`, left running.

PostgreSQL, ClickHouse and Redis come from Python wheels, InfluxDB and Weaviate are servers on PATH.
Importing this package loads no driver and no engine; `engine()` loads only the code of the kind it is asked for.
"""

from __future__ import annotations

from pathlib import Path

from provision.embedded.engines import Engine, EngineStatus

__all__ = ["Engine", "EngineStatus", "engine"]


def engine(kind: str, store: str, root: Path) -> Engine:
    """Return the engine of `store`, whose files lie in `root`/`store` (`root` is the checkout's `.provision` folder).

    Raises ValueError for a kind that has no embedded engine.
    """
    from provision.embedded.lifecycle import LocalEngine

    return LocalEngine(kind, store, root)
