"""The url of a store for tools that run beside `provision`, such as bare `alembic`."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.util import CommandError

from provision import embedded, kinds, settings
from provision.errors import ConfigError, ProvisionError


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
    kind_of = {each.name: each.kind for each in project.stores}
    if store not in kind_of:
        raise ConfigError(
            "unknown-store",
            f"no store is called {store!r}",
            where=project.file.name,
            fix=f"known: {', '.join(kind_of)}",
        )
    environment = settings.resolve(project, _environment(project))
    place = environment.places[store]
    if place.url is not None:
        return place.url.reveal()
    if environment.embedded and not place.off and kinds.named(kind_of[store], store).engine:
        running = embedded.engine(kind_of[store], store, project.local).start()
        if running.url is not None:
            return running.url
    raise ConfigError(
        "store-off" if place.off else "no-url",
        f"{store} is switched off" if place.off else f"{store} has no url",
        where=f"{project.file.name}, [environments.{environment.name}]",
        fix=f"set {store}.url there, or choose another environment with PROVISION_ENV",
    )


def _environment(project: settings.Project) -> str:
    try:
        return settings.choose(project, None, terminal=sys.stdout.isatty())
    except ConfigError as error:
        if error.code == "environment-not-named":
            error.fix = "set PROVISION_ENV=NAME"  # the tools that ask here have no --env
        raise
