"""Opens an InfluxDB server by the version that it says it is."""

from __future__ import annotations

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.net.http import Address, Http
from provision.stores.influx.server import EXAMPLE, GREETING_SECONDS, OLDEST, Server


def connect(options: StoreOptions, url: str) -> Server:
    """An open server of a version that can be worked with.

    Raises UnreachableError (unreachable), or ConfigError (bad-url, wrong-password, not-allowed, server-too-old,
    not-influxdb, missing-key, needless-key). No message holds a password or token.
    """
    address = Address.of(url, EXAMPLE)
    http = Http(address.base, {}, options, seconds=GREETING_SECONDS)
    try:
        with http.reading():
            version = _version(http)
            generation = _generation(http, version)
    finally:
        http.close()
    if generation == 1:
        from provision.stores.influx.version_1 import open_1

        return open_1(options, address, version)
    from provision.stores.influx.version_2 import open_2

    return open_2(options, address, version)


def _version(http: Http) -> str:
    """The version that the server says without a login."""
    answer = http.call("GET", "/ping")
    version = answer.headers.get("x-influxdb-version", "")
    if not version:
        answer = http.call("GET", "/health")
        about = answer.body if isinstance(answer.body, dict) else {}
        version = str(about.get("version", "")) if about.get("name") == "influxdb" else ""
    if not version:
        what = f"what answers there is no InfluxDB (/ping answers {answer.status} without a version)"
        raise ConfigError("not-influxdb", what, where=http.shown, fix=f"write {EXAMPLE}")
    return version.removeprefix("v")


def _generation(http: Http, version: str) -> int:
    """1 or 2. A version without numbers, as of a server that Go built from source, is not judged: its API is looked at.

    Raises ConfigError (server-too-old, server-too-new).
    """
    if any(each.isdigit() for each in version):
        _refuse_old(version, http.shown)
        return 1 if version.startswith("1.") else 2
    setup = http.call("GET", "/api/v2/setup")
    return 2 if isinstance(setup.body, dict) and "allowed" in setup.body else 1


def _refuse_old(version: str, where: str) -> None:
    numbers = tuple(int(part) for part in version.partition("~")[0].split(".")[:2] if part.isdigit())
    if numbers[:1] in ((1,), (2,)) and numbers >= OLDEST[numbers[0]]:
        return
    what = f"InfluxDB 1.6 or later, or 2.1 or later, is needed, the server is {version}"
    if numbers > (2, 0):
        raise ConfigError("server-too-new", what, where=where, fix="name a server of version 1.x or 2.x")
    raise ConfigError("server-too-old", what, where=where, fix="upgrade the server")
