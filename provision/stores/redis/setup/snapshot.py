"""What a server holds, as a snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator

from provision.documents.snapshot import objects
from provision.model import StoreOptions
from provision.net.tls import with_tls
from provision.ports.kind import Objects
from provision.stores.redis.files import documents
from provision.stores.redis.migrate.operations.set_config import SetConfig
from provision.stores.redis.server import TLS, VERIFY, connect
from provision.stores.redis.setup.live import found

NEW = (SetConfig.name,)


def taken(options: StoreOptions, url: str) -> Objects:
    """Every object that a document can make, and the settings that one sets. Raises UnreachableError, ConfigError."""
    return dict(sorted({**objects(found(options, url)), **dict(_settings(options, url))}.items()))


def _settings(options: StoreOptions, url: str) -> Iterator[tuple[str, str]]:
    """As they are now. The others are of the server, whose defaults it does not tell."""
    every = [each for document in documents(options).all() for each in document.up]
    named = sorted({str(each.body["parameter"]) for each in every if each.name == SetConfig.name})
    if not named:
        return
    server = connect(with_tls(url, options, TLS, VERIFY))
    try:
        with server.reading():
            for parameter in named:
                for value in filter(None, [server.pairs("CONFIG", "GET", parameter).get(parameter)]):
                    yield f"{SetConfig.name} {parameter}", json.dumps({"parameter": parameter, "value": value})
    finally:
        server.close()
