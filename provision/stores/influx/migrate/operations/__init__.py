"""Every operation of an Influx document, by its name; one file each."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.stores.influx.migrate import flux, influxql
from provision.stores.influx.migrate.operations.alter_retention_policy import AlterRetentionPolicy
from provision.stores.influx.migrate.operations.base import InfluxOperation
from provision.stores.influx.migrate.operations.create_database import CreateDatabase
from provision.stores.influx.migrate.operations.create_retention_policy import CreateRetentionPolicy
from provision.stores.influx.migrate.operations.create_rollup import CreateRollup
from provision.stores.influx.migrate.operations.drop_database import DropDatabase
from provision.stores.influx.migrate.operations.drop_retention_policy import DropRetentionPolicy
from provision.stores.influx.migrate.operations.drop_rollup import DropRollup
from provision.stores.influx.migrate.operations.raw import Flux, Influxql
from provision.stores.influx.server import Rendering

_KINDS: tuple[type[InfluxOperation], ...] = (
    CreateDatabase,
    DropDatabase,
    CreateRetentionPolicy,
    AlterRetentionPolicy,
    DropRetentionPolicy,
    CreateRollup,
    DropRollup,
    Influxql,
    Flux,
)


def rendering(options: StoreOptions) -> Rendering:
    """How the store's server is told: only one of 2.x has an organisation or a token, where its version is not said."""
    told = options.extra.get("org") or options.extra.get("token") or str(options.extra.get("version")) == "2"
    return flux if told else influxql


def operations(words: Rendering) -> dict[str, InfluxOperation]:
    """Every operation, saying what it sends in these words."""
    return {each.name: each(words) for each in _KINDS}


OPERATIONS = operations(influxql)
