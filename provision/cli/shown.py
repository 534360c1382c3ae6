"""Which stores a command shows, and what it says of those that it could not read."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from provision.cli import options
from provision.cli.render import problems
from provision.cli.render.paper import Paper, print_form
from provision.errors import EXIT_DONE, joined, parts
from provision.flows.connect import Site
from provision.settings import ProjectFile


def store_names(project: ProjectFile, only: Sequence[str]) -> tuple[str, ...]:
    return tuple(each.name for each in project.stores if not only or each.name in only)


def say_unread(opened: Site, shown: Sequence[str], output: str) -> int:
    """Print why stores could not be read; the exit code that follows from it, 0 when all could."""
    errors = [error for name in shown if (error := opened.reached[name].error) is not None]
    if (found := joined(errors)) is None:
        return EXIT_DONE
    for each in parts(found):
        if output == options.GITHUB:
            print_form(opened.environment.mask(problems.annotation(each)))
        else:
            Paper(sys.stderr).write_lines(map(opened.environment.mask, problems.lines(each)))
    return found.exit_code
