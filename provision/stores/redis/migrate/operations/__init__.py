"""Every operation of a Redis document, by its name; one file each."""

from __future__ import annotations

from provision.stores.redis.migrate.operations.base import RedisOperation
from provision.stores.redis.migrate.operations.create_group import CreateGroup
from provision.stores.redis.migrate.operations.create_stream import CreateStream
from provision.stores.redis.migrate.operations.delete_function import DeleteFunction
from provision.stores.redis.migrate.operations.delete_keys import DeleteKeys
from provision.stores.redis.migrate.operations.drop_group import DropGroup
from provision.stores.redis.migrate.operations.drop_key_family import DropKeyFamily
from provision.stores.redis.migrate.operations.drop_stream import DropStream
from provision.stores.redis.migrate.operations.function import Function
from provision.stores.redis.migrate.operations.key_family import KeyFamily
from provision.stores.redis.migrate.operations.raw import Raw
from provision.stores.redis.migrate.operations.rename_keys import RenameKeys
from provision.stores.redis.migrate.operations.restore_config import RestoreConfig
from provision.stores.redis.migrate.operations.set_config import SetConfig
from provision.stores.redis.migrate.operations.set_ttl import SetTtl
from provision.stores.redis.migrate.operations.trim_stream import TrimStream

OPERATIONS: dict[str, RedisOperation] = {
    each.name: each
    for each in (
        KeyFamily(),
        DropKeyFamily(),
        CreateStream(),
        DropStream(),
        CreateGroup(),
        DropGroup(),
        SetConfig(),
        RestoreConfig(),
        RenameKeys(),
        DeleteKeys(),
        SetTtl(),
        Function(),
        DeleteFunction(),
        Raw(),
        TrimStream(),
    )
}
