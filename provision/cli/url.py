"""The url of a store for tools that run beside `provision`, such as bare `alembic`."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.util import CommandError

from provision import settings
from provision.errors import ConfigError, ProvisionError
from provision.wiring import local_engines


def of(store: str) -> str:
    """The url of a store by provision.toml's rule; makes and starts the embedded engine where the environment has one.

    Raises alembic's CommandError, which `alembic` prints in one line, for everything that stands in the way.
    """
    try:
        return url(store)
    except ProvisionError as error:
        raise CommandError("; ".join(part for part in (error.what, error.where, error.fix) if part)) from error


def url(store: str) -> str:
    """As `of`.

    Raises ConfigError (no-project, environment-not-named, unknown-store, store-off, no-url, unset-variable) and what
    the engine raises when it does not start.
    """
    project = settings.load(Path.cwd())
    return local_engines.url(project, settings.resolve(project, _environment(project)), store)


def _environment(project: settings.ProjectFile) -> str:
    try:
        return settings.choose(project, None, terminal=sys.stdout.isatty())
    except ConfigError as error:
        if error.code == "environment-not-named":
            error.fix = "set PROVISION_ENV=NAME"  # the tools that ask here have no --env
        raise
