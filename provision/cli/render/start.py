"""Every word that `init`, `new`, `schema` and `import` print."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from provision.cli.render.paper import Paper, print_form, print_lines
from provision.flows.adopt import Adopted
from provision.flows.layout import LaidOut

if TYPE_CHECKING:
    from provision.wiring.new_store import AddedStore


def laid_out(folder: Path, done: LaidOut) -> None:
    """What was written, what was adopted, and the next two commands."""
    paper = Paper(sys.stdout)
    for path in done.written:
        paper.write(f"  ✓ wrote    {_relative(folder, path)}", "done")
    for path in done.changed:
        paper.write(f"  ✓ added to {_relative(folder, path)}", "done")
    for store, place in done.adopted.items():
        paper.write(f"  ✓ adopted  {place} as the folder of {store}, as it is", "done")
    if done.home == "none":
        paper.write("  warning: no store of this project can keep the run lock; add --no-lock to `up`", "warn")
    first = done.first if done.first else "STORE"
    paper.write("")
    paper.write("next:", "head")
    if folder.resolve() != Path.cwd():
        paper.write(f"  cd {folder}")
    paper.write(f'  provision new {first} "what it does"')
    paper.write(f"  provision up --env local{' --no-lock' if done.home == 'none' else ''}")


def store_added(here: Path, done: AddedStore) -> None:
    """What was made and written, and what comes next."""
    paper = Paper(sys.stdout)
    if done.adopted:
        paper.write(f"  ✓ adopted  {done.folder} as the folder of {done.name}, as it is", "done")
    for path in done.written:
        paper.write(f"  ✓ wrote    {_relative(here, path)}", "done")
    for path in done.changed:
        paper.write(f"  ✓ added to {_relative(here, path)}", "done")
    paper.write("")
    paper.write("next:", "head")
    for environment in done.without_url:
        variable = f"{done.name.upper().replace('-', '_')}_URL"
        paper.write(f'  {done.name}.url = "${{{variable}}}" below [environments.{environment}] of provision.toml')
    paper.write(f'  provision new {done.name} "what it does"')


def begun(path: Path) -> None:
    """The path alone, so that an editor can be given it: `$EDITOR $(provision new …)`."""
    print_lines([_relative(Path.cwd(), path)])


def imported(store: str, environment: str, adopted: Adopted, *, elsewhere: bool) -> None:
    """The paths, a line each, and on stderr what is not in them and what comes next."""
    print_lines(_relative(Path.cwd(), path) for path in adopted.written)
    paper = Paper(sys.stderr)
    for line in adopted.left_out:
        paper.write(f"left out: {line}", "warn")
    for line in adopted.to_fill:
        paper.write(f"fill in: {line}", "warn")
    if not adopted.written:
        paper.write(f"nothing that a file could make is on the server of {store}", "warn")
    elif not elsewhere:
        paper.write("next, once you have read them:", "head")
        paper.write(f"  provision baseline --all --only {store} --env {environment}")


def schema(text: str) -> None:
    print_form(text)


def _relative(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
