"""Writes the revisions of pairs as files of a project of one store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.commutes.pairs import Pair, named

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"postgres": "alembic", "clickhouse": "clickhouse"}
TOML = """\
[project]
name = "{name}"
home = "none"
[stores.{store}]
[environments.test]
{store}.url = "${{URL}}"
"""
REVISION = """\
from alembic import op

revision = "{0:04d}"
down_revision = {1}


def upgrade():
    for each in {2!r}:
        op.execute(each)


def downgrade():
    pass
"""


def started(root: Path, store: str, name: str) -> Path:
    root.mkdir(parents=True)
    (root / "provision.toml").write_text(TOML.format(name=name, store=store))
    if store == "postgres":
        (root / "alembic" / "versions").mkdir(parents=True)
        (root / "alembic" / "env.py").write_text((ROOT / "alembic" / "env.py").read_text(encoding="utf-8"))
    else:
        (root / store).mkdir()
    return root


def written(root: Path, store: str, number: int, slug: str, part: Sequence[Any]) -> None:
    """One revision; the number is that of its file."""
    if store == "postgres":
        before = f'"{number - 1:04d}"' if number > 1 else None
        text = REVISION.format(number, before, list(part))
        (root / "alembic" / "versions" / f"{number:04d}_{slug}.py").write_text(text)
    elif store == "clickhouse":
        (root / store / f"{number:03d}_{slug}.sql").write_text(";\n".join(part) + ";\n")
    else:
        text = json.dumps({"description": slug, "up": list(part), "down": {"irreversible": "a test"}})
        (root / store / f"{number:04d}_{slug}.yaml").write_text(text)


def side(root: Path, pairs: Sequence[Pair], sides: Sequence[str], name: str) -> Path:
    """A project with the base of every pair, and then the sides of each in the order given."""
    store = pairs[0].store
    started(root, store, name)
    number = 0
    for part in ("base", *sides):
        for index, pair in enumerate(pairs):
            texts = named(getattr(pair, part), f"{name}{index}_")
            if texts:
                number += 1
                written(root, store, number, f"{part}_{index}", texts)
    return root
