"""Writes docs/schema.md and docs/erd/*.mmd from the live schema: `.venv/bin/python docs/generate_schema.py [--check]`.

It brings embedded engines up to date in a temporary copy of the project and reads them there. With `--check` nothing is
written: exit code 1 and the first difference when a file is not what would be written.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

from schema_pages import clickhouse, documents, erd, page, postgres, redis_keys  # noqa: E402

from provision import embedded, settings  # noqa: E402

COPIED = ("alembic", "alembic.ini", "clickhouse", "redis", "provision.toml")
LIVE = ("postgres", "clickhouse", "redis")
LIMIT = 600.0  # seconds for one `provision up`
# Written by hand, shown at the end of the page: measurements cannot be read from a schema.
FIGURES = DOCS / "schema_figures.md"


@contextmanager
def up_to_date() -> Iterator[dict[str, str]]:
    """Store → url of its embedded engine with every revision applied; gone with the block. Raises SystemExit."""
    place = Path(tempfile.mkdtemp(prefix="provision-schema-"))
    for name in COPIED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, place / name)
    engines = {name: embedded.engine(name, name, place / ".provision") for name in LIVE}
    variables = os.environ | {"PYTHONPATH": str(ROOT), "PROVISION_ENV": "local"}
    try:
        command = [sys.executable, str(ROOT / "cli.py"), "up", *(f"--only={name}" for name in LIVE)]
        done = subprocess.run(
            command, cwd=place, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT
        )
        if done.returncode:
            raise SystemExit(f"provision up failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        yield {name: str(engine.start().url) for name, engine in engines.items()}
    finally:
        for engine in engines.values():
            engine.reset()
        shutil.rmtree(place)


def generated() -> dict[Path, str]:
    """File → what it should hold."""
    project = settings.load(ROOT).name
    with up_to_date() as urls:
        relations = postgres.read(urls["postgres"])
        tables = clickhouse.read(urls["clickhouse"])
        keys = redis_keys.read(urls["redis"], project)
    diagrams = erd.diagrams(relations[0], tables)
    figures = FIGURES.read_text(encoding="utf-8") if FIGURES.exists() else ""
    text = page.page(
        relations, tables, keys, list(repeatables()), documents.lines(ROOT, page.table), list(diagrams), figures
    )
    return {DOCS / "schema.md": text} | {DOCS / "erd" / f"{name}.mmd": each for name, each in diagrams.items()}


def repeatables() -> Iterator[tuple[str, str]]:
    """Each repeatable file, with its description and what it needs."""
    for path in sorted((ROOT / "alembic" / "repeatable").glob("*.sql")):
        lines = path.read_text(encoding="utf-8").splitlines()
        head = dict(line[3:].split(": ", 1) for line in lines if line.startswith(("-- description: ", "-- needs: ")))
        needs = f"; needs {head['needs']}" if "needs" in head else ""
        yield f"`{path.relative_to(ROOT)}`", f"{head['description']}{needs}"


def first_difference(path: Path, wanted: str) -> str | None:
    """Where the file stops being `wanted`, for people; None when it is."""
    shown = path.relative_to(ROOT)
    if not path.exists():
        return f"{shown} is missing"
    here, there = path.read_text(encoding="utf-8").splitlines(), wanted.splitlines()
    for number in range(max(len(here), len(there))):
        one, other = (side[number] if number < len(side) else "(end of file)" for side in (here, there))
        if one != other:
            return f"{shown}:{number + 1} is out of date\n  is         {one}\n  should be  {other}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a file is out of date.")
    check = parser.parse_args().check
    files = generated()
    stale = [path for path in sorted((DOCS / "erd").glob("*.mmd")) if path not in files]
    if check:
        found = [each for path, text in files.items() if (each := first_difference(path, text))]
        found += [f"{path.relative_to(ROOT)} is of no domain" for path in stale]
        if found:
            print(f"{found[0]}\n  fix        run .venv/bin/python docs/generate_schema.py", file=sys.stderr)
        return 1 if found else 0
    for path in stale:
        path.unlink()
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
