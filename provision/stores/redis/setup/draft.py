"""Writes the next document of a Redis store, commented so that it can be filled without looking anything up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.documents import folder
from provision.model import StoreOptions

_EXAMPLE = """\
#  - create_stream: {name: app:stream:orders, maxlen: 10000}
#  - create_group: {stream: app:stream:orders, name: billing, start: 0}
"""


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write `NNNN_slug.yaml` and return its path. Raises ConfigError (bad-message) and OSError."""
    return folder.write(options, message, requires, _EXAMPLE)
