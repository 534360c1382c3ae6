"""Every suite may ask for a server by name."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["tests.servers.plugin"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The containers run where they are asked for: they may fetch images of gigabytes."""
    return (collection_path.name == "containers" and not any("containers" in each for each in config.args)) or None
