"""Writes documents of partitions/ for sets that something else keeps."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model.partitions import Engine, KeptSet, OnRetire


def document(store: str, kept: KeptSet, engine: Engine) -> str:
    """The YAML of a set that can be kept. `behind: 0`: what lies behind is as it is."""
    return "".join(f"{line}\n" for line in _lines(store, kept, engine))


def _lines(store: str, kept: KeptSet, engine: Engine) -> Iterator[str]:
    yield f"store: {store}"
    yield f"table: {_quoted(kept.table)}"
    yield f"engine: {engine}"
    yield f"column: {_quoted(kept.column)}"
    yield f"interval: {kept.interval}"
    yield f"ahead: {kept.ahead}"
    yield "behind: 0"
    if kept.retain is not None:
        yield f"retain: {kept.retain}"
        yield f"on_retire: {kept.on_retire}{f' {kept.target}' if kept.on_retire is OnRetire.MOVE else ''}"


def _quoted(name: str) -> str:
    """In quotes, where YAML would read something else, such as `no` or `1`."""
    plain = all(part.isidentifier() for part in name.split(".")) and "_" in name
    return name if plain else "'" + name.replace("'", "''") + "'"
