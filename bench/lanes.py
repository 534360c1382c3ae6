"""Writes the project of six stores that is timed: the same number of revisions in each, none requires another store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench import projects

STORES = ("postgres", "clickhouse", "redis", "influx", "weaviate", "arango")
DOCUMENTS: dict[str, Callable[[int], str]] = {
    "redis": lambda number: f"create_stream: {{name: 'bench:{number:04d}', maxlen: 1000}}",
    "influx": lambda number: (
        f"create_retention_policy: {{database: bench, name: tier{number:04d}, duration: {number + 1}d}}"
        if number > 1
        else "create_database: {name: bench}"
    ),
    "weaviate": lambda number: (
        f"create_collection: {{class: Bench{number:04d}, vectorizer: none, "
        "properties: [{name: symbol, dataType: [text], tokenization: field}]}"
    ),
    "arango": lambda number: f"create_collection: {{name: bench{number:04d}}}",
}


def written(folder: Path, count: int, stores: Sequence[str] = STORES) -> Path:
    """A project of `count` revisions in each of the stores, all reached by urls of variables. Returns `folder`."""
    if "postgres" in stores:
        projects.postgres(folder, count)
    if "clickhouse" in stores:
        projects.clickhouse(folder, count)
    for store in stores:
        if store in DOCUMENTS:
            _documents(folder / store, DOCUMENTS[store], count)
    tables = "".join(f"[stores.{store}]\n" for store in stores)
    urls = "".join(f'{store}.url = "${{BENCH_{store.upper()}_URL}}"\n' for store in stores)
    (folder / "provision.toml").write_text(
        f'[project]\nname = "bench"\nhome = "none"\n{tables}[environments.bench]\n{urls}'
    )
    return folder


def _documents(folder: Path, operation: Callable[[int], str], count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        text = f"description: Change {number}\nup:\n  - {operation(number)}\ndown: auto\n"
        (folder / f"{number:04d}_change.yaml").write_text(text)
