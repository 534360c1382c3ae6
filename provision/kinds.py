"""Finds the kinds of store: those that come with provision, and those that other packages bring."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind
from provision.text.nearest import nearest

GROUP = "provision.stores"
"""Entry points: a name → the object `KIND` of a package. Provision's own kinds are in the package of that name."""


@cache
def find(name: str) -> Kind | None:
    """The kind of that name; None where nobody brings one. Raises ConfigError (kind-broken).

    Those of provision itself are looked for first: reading the metadata of all installed packages takes longer than
    everything else that a command does before it reaches a server.
    """
    if name in _own():
        kind: Kind = import_module(f"{GROUP}.{name}").KIND
        return kind
    return _brought(name) if name in _others() else None


def named(name: str, where: str) -> Kind:
    """As `find`. Raises ConfigError (unknown-kind, kind-broken); `where` says where the name stands."""
    found = find(name)
    if found is None:
        raise ConfigError(
            "unknown-kind", f"no kind of store is called {name!r}", where=where, fix=nearest(name, names())
        )
    return found


def names() -> tuple[str, ...]:
    """Every kind that there is."""
    return tuple(sorted({*_own(), *_others()}))


def every() -> tuple[Kind, ...]:
    """Every kind that there is, by name. Raises ConfigError (kind-broken)."""
    return tuple(each for each in map(find, names()) if each is not None)


def with_engine() -> tuple[str, ...]:
    """The names of those that run on this machine without a url."""
    return tuple(each.name for each in every() if each.engine)


def build(options: StoreOptions) -> Store:
    """The store, not yet connected. Raises ConfigError (missing-extra, unknown-kind, kind-broken)."""
    kind = named(options.kind, f"provision.toml, [stores.{options.name}]")
    # A data folder called `redis` is found as a namespace package without origin when the driver is missing.
    spec = find_spec(kind.driver)
    if spec is None or spec.origin is None:
        package = kind.driver.replace("_", "-")
        raise ConfigError(
            "missing-extra",
            f"{options.name} needs the package {package}, which is not installed",
            where=f"provision.toml, [stores.{options.name}]",
            fix=f"pip install 'provision-toolkit[{kind.extra}]'" if kind.extra else f"pip install {package}",
        )
    return kind.build(options)


@cache
def _own() -> frozenset[str]:
    return frozenset(each.name for each in pkgutil.iter_modules([str(Path(__file__).with_name("stores"))]))


@cache
def _others() -> frozenset[str]:
    from importlib.metadata import entry_points

    return frozenset(entry_points(group=GROUP).names) - _own()


def _brought(name: str) -> Kind:
    from importlib.metadata import entry_points

    entry = next(iter(entry_points(group=GROUP, name=name)))
    package = entry.dist.name if entry.dist is not None else entry.value
    try:
        kind = entry.load()
    except Exception as error:  # somebody else's package may raise anything
        what = f"the package {package}, which brings stores of kind {name}, cannot be loaded: {error}"
        raise ConfigError("kind-broken", what, where=entry.value, fix=f"pip install --upgrade {package}") from error
    if not isinstance(kind, Kind) or kind.name != name:
        what = f"{entry.value} of the package {package} is no Kind called {name!r}"
        raise ConfigError("kind-broken", what, where=entry.value, fix=f"pip install --upgrade {package}")
    return kind
