"""Finds the kinds of store: those that come with provision, and those that other packages bring."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import ConfigError, ProvisionError
from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind
from provision.text.nearest import nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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
    """Every kind that can be loaded, by name: what is wrong with another is said where a store of it is used."""
    return tuple(found for each in names() if (found := _sound(each)) is not None)


def with_engine() -> tuple[str, ...]:
    """The names of those that run on this machine without a url."""
    return tuple(each.name for each in every() if each.engine)


def engine_of(options: StoreOptions) -> str:
    """The name of the engine that runs a store on this machine, empty where there is none: that of its kind, or of the
    generation that its `version` says. Raises ConfigError (unknown-kind, kind-broken, bad-value).
    """
    kind = named(options.kind, options.name)
    version = str(options.extra.get("version", "1")) if kind.other_engines else "1"
    if version == "1":
        return kind.name if kind.engine else ""
    if kind.name + version in kind.other_engines:
        return kind.name + version
    known = " or ".join(["1", *(each.removeprefix(kind.name) for each in kind.other_engines)])
    what = f"{options.name}.version is {version}, and {kind.title} has no such generation"
    raise ConfigError("bad-value", what, where=f"provision.toml, [stores.{options.name}]", fix=f"write {known}")


def engine(name: str) -> tuple[str, str]:
    """The module and the program of an engine; both empty where none is called so."""
    found = find(name)
    if found is not None:
        return found.engine, found.program
    return next((each.other_engines[name] for each in every() if name in each.other_engines), ("", ""))


def build(options: StoreOptions) -> Store:
    """The store, not yet connected. Raises ConfigError (missing-extra, unknown-kind, kind-broken)."""
    where = f"provision.toml, [stores.{options.name}]"
    kind = named(options.kind, where)
    if not is_installed(kind.driver):
        package = kind.driver.replace("_", "-")
        raise ConfigError(
            "missing-extra",
            f"{options.name} needs the package {package}, which is not installed",
            where=where,
            fix=f"pip install '{_package(kind.name)}[{kind.extra}]'" if kind.extra else f"pip install {package}",
        )
    try:
        return kind.build(options)
    except ProvisionError:
        raise
    except Exception as error:
        if kind.name in _own():
            raise
        raise _broken(kind.name, f"cannot build a store: {error}", kind.package) from error


def is_installed(driver: str) -> bool:
    """A data folder called `redis` is found as a namespace package without origin when the driver is missing."""
    try:
        spec = find_spec(driver)
    except ModuleNotFoundError:  # of `google.cloud.spanner`, what is around it
        return False
    return spec is not None and spec.origin is not None


def _sound(name: str) -> Kind | None:
    try:
        return find(name)
    except ConfigError:
        return None


@cache
def _own() -> frozenset[str]:
    return frozenset(each.name for each in pkgutil.iter_modules([str(Path(__file__).with_name("stores"))]))


@cache
def _others() -> Mapping[str, Sequence[EntryPoint]]:
    """Name → who brings a kind of that name; one of provision's own cannot be replaced."""
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        if each.name not in _own():
            found.setdefault(each.name, []).append(each)
    return found


def _brought(name: str) -> Kind:
    entry, *more = _others()[name]
    if more:
        listed = ", ".join(sorted(_distribution(each) for each in (entry, *more)))
        what, fix = f"several packages bring stores of kind {name}: {listed}", "pip uninstall all of them but one"
        raise ConfigError("kind-broken", what, where=f"entry points {GROUP}", fix=fix)
    try:
        kind = entry.load()
    except (Exception, SystemExit) as error:  # somebody else's package may raise anything
        raise _broken(name, f"cannot be loaded: {error}", entry.value) from error
    if not isinstance(kind, Kind):
        raise _broken(name, f"gives an object of type {type(kind).__name__}, not a Kind", entry.value)
    if kind.name != name:
        raise _broken(name, f"calls its kind {kind.name!r}", entry.value)
    return kind


def _broken(name: str, what: str, where: str) -> ConfigError:
    package = _package(name)
    what = f"the package {package}, which brings stores of kind {name}, {what}"
    fix = f"pip install --upgrade {package}; what it must bring: `provision docs how-to-add-a-store`"
    return ConfigError("kind-broken", what, where=where, fix=fix)


def _package(name: str) -> str:
    """The distribution that brings a kind, as pip knows it."""
    return "provision-toolkit" if name in _own() else _distribution(_others()[name][0])


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module
