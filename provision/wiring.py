"""The composition root: which package serves which kind; imported only when a store of that kind is asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.ports import Store

# kind → (the driver that must be installed, the extra that brings it)
DRIVERS = {
    "postgres": ("psycopg", ""),
    "clickhouse": ("clickhouse_connect", "clickhouse"),
    "redis": ("redis", "redis"),
    "influx": ("influxdb_client", "influx"),
    "weaviate": ("urllib3", "weaviate"),
    "arango": ("urllib3", "arango"),
}


def build(options: StoreOptions) -> Store:
    """The store, not yet connected. Raises ConfigError (missing-extra, kind-not-built)."""
    if options.kind not in DRIVERS:
        raise ConfigError(
            "kind-not-built",
            f"stores of kind {options.kind} are not supported by this version",
            where=f"provision.toml, [stores.{options.name}]",
            fix="remove the store, or update provision",
        )
    driver, extra = DRIVERS[options.kind]
    # A data folder called `redis` is found as a namespace package without origin when the driver is missing.
    spec = find_spec(driver)
    if spec is None or spec.origin is None:
        raise ConfigError(
            "missing-extra",
            f"{options.name} needs the package {driver.replace('_', '-')}, which is not installed",
            where=f"provision.toml, [stores.{options.name}]",
            fix=f"pip install 'provision-toolkit[{extra}]'",
        )
    store: Store = import_module(f"provision.stores.{options.kind}").build(options)
    return store


def part(kind: str, name: str) -> ModuleType | None:
    """The module of a kind's part, such as `schema`, `draft` or `health`; None when the kind has no such part."""
    package = f"provision.stores.{kind}"
    if kind not in DRIVERS or find_spec(f"{package}.{name}") is None:
        return None
    return import_module(f"{package}.{name}")
