"""Reads how long a store, an environment or a revision lets statements wait and take; no driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provision.errors import ConfigError
from provision.text import durations


def of_header(header: Mapping[str, object], names: Sequence[str], shown: str) -> tuple[tuple[str, str], ...]:
    """What a revision's header says, as pairs. Raises ConfigError (bad-header)."""
    found = {name: str(header[name]) for name in names if header.get(name) is not None}
    for name, value in found.items():
        if (fix := _wrong(name, value)) is not None:
            raise ConfigError("bad-header", f"{name} is {value!r}", where=shown, fix=fix)
    return tuple(found.items())


def check(extra: Mapping[str, object], names: Sequence[str], store: str) -> None:
    """Raises ConfigError (bad-value) for what provision.toml or a variable says and cannot be."""
    for name in names:
        if name in extra and (fix := _wrong(name, str(extra[name]))) is not None:
            raise ConfigError("bad-value", f"{name} of {store} is {extra[name]!r}", where="provision.toml", fix=fix)


def _wrong(name: str, value: str) -> str | None:
    """How to write it; None where it is well written."""
    if name == "retries":
        return None if value.isascii() and value.isdigit() else "write a number of attempts, such as 20, or 0 for none"
    try:
        seconds = durations.typed(value)
    except ValueError:
        return "write it like 500ms, 30s or 2m"
    return "write more than 0" if seconds < 0.001 and name == "lock_timeout" else None
