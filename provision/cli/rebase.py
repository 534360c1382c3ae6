"""`rebase`: the revisions of this branch get the numbers and parents behind those of another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from provision.cli import group, options, site
from provision.cli.render.paper import Paper
from provision.errors import EXIT_DONE
from provision.flows.connect import Access
from provision.wiring import rebase as wiring

app = group.app()


@group.command(app, "rebase", "provision rebase main --env local", "provision rebase origin/main -e local --dry-run")
def rebase(
    onto: Annotated[str, typer.Argument(metavar="BRANCH", help="The branch that is merged first.")],
    env: options.Env = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")] = False,
) -> int:
    """Put the revisions that this branch adds behind those of BRANCH: new numbers, new parents, `requires` that follow.

    Run it on the branch as it is, before BRANCH is merged into it. Refused where one of them is applied in the
    environment, and while a run is at work there.
    """
    project = site.project()
    files = wiring.rebase(project.root, onto)
    moved = [each.moved for each in files if each.moved is not None]
    if moved:
        with site.opened(env, Access.READ) as opened:
            wiring.refuse_applied(opened, moved)
    if not dry_run:
        wiring.write(files)
    _told(project.root, files, onto, dry_run=dry_run)
    return EXIT_DONE


def _told(root: Path, files: list[wiring.RebasedFile], onto: str, *, dry_run: bool) -> None:
    paper = Paper(sys.stdout)
    for each in files:
        path = each.path.relative_to(root)
        if each.moved is None:
            paper.write(f"  {path}: what it requires has other numbers")
        else:
            moved = each.moved
            paper.write(f"  {path} → {each.to.name}: {moved.revision.id} is {moved.id}, on {moved.parent}")
    if not files:
        paper.write(f"nothing to do: {onto} added nothing beneath what this branch adds")
    else:
        count = "1 file" if len(files) == 1 else f"{len(files)} files"
        paper.write(f"{count} would be written" if dry_run else f"{count} written; next: git merge {onto}")
