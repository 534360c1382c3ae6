"""Writes the next Alembic revision through Alembic itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError, rev_id

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.stores.postgres.migrate import alembic as engine
from provision.text.files import UNFILLED, slug

UP = f"""# Write the change here, such as:
    # op.execute("ALTER TABLE orders ADD COLUMN source text")
    pass  # {UNFILLED}"""
DOWN = f"""# Write what undoes it; without a way back: raise NotImplementedError("why").
    pass  # {UNFILLED}"""
_HEADERS = ("revision", "down_revision", "branch_labels", "depends_on")


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write the revision that follows the head and return its path.

    Its id is the next number where the revisions of the folder are numbered, else one of Alembic's own. Raises
    ConfigError (bad-message, alembic-refused) and OSError.
    """
    slug(message)
    directory = engine.scripts(options)
    directory.messaging_opts = {"quiet": True}
    quoted = message.replace("\\", "\\\\").replace('"', '\\"')
    try:
        script = directory.generate_revision(_next(directory), quoted, upgrades=UP, downgrades=DOWN)
    except CommandError as error:
        raise ConfigError(
            "alembic-refused",
            f"alembic: {error}",
            where=options.shown(options.path),
            fix="merge two heads with `alembic merge heads`, or correct the revision files",
        ) from None
    assert script is not None
    path = Path(script.path)
    if requires:
        _require(path, requires)
    return [path]


def _next(directory: ScriptDirectory) -> str:
    ids = [script.revision for script in directory.walk_revisions()]
    if not all(re.fullmatch(r"\d+", each) for each in ids):
        return rev_id()
    width = max((len(each) for each in ids), default=4)
    return f"{max((int(each) for each in ids), default=0) + 1:0{width}d}"


def _require(path: Path, requires: Sequence[str]) -> None:
    """Put the line `requires = […]` below the other headers."""
    text = path.read_text(encoding="utf-8")
    ends = [node.end_lineno or 0 for node in ast.parse(text).body if _is_header(node)]
    lines = text.split("\n")
    listed = ", ".join(f'"{each}"' for each in requires)
    lines.insert(max(ends), f"requires = [{listed}]")
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")


def _is_header(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id in _HEADERS for target in targets)
