"""What `doctor` looks at in an InfluxDB server; reads only, on a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

from provision.errors import ConfigError
from provision.model import Finding, Severity, StoreOptions
from provision.net.http import Address, Http
from provision.stores.influx.connect import connect
from provision.stores.influx.migrate.model import shown
from provision.stores.influx.names import OWN
from provision.stores.influx.server import EXAMPLE, GREETING_SECONDS, LOG_TIER, Server
from provision.text import clock


def look(options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
    """What was found. Raises UnreachableError and ConfigError as opening the store does."""
    del home  # no lease is kept here
    server = connect(options, url)
    plain = Http(Address.of(url, EXAMPLE).base, {}, options, seconds=GREETING_SECONDS)
    try:
        found = [*_rights(server, options, url), *_login(plain, server, options), *_clock(plain, options)]
        return [*found, *_queries(server, options), *_ledger(server, options)]
    finally:
        plain.close()
        server.close()


def _rights(server: Server, options: StoreOptions, url: str) -> Iterator[Finding]:
    try:
        missing = server.missing_rights()
    except ConfigError as error:
        missing = error.what
    if missing:
        user = Address.of(url, EXAMPLE).user
        fix = f'`GRANT ALL PRIVILEGES TO "{user}"`' if server.language == "influxql" else _token(options, url)
        yield Finding("privileges", Severity.ERROR, options.name, missing, fix)
    else:
        yield Finding("privileges", Severity.FINE, options.name, "this login may read all that is needed")


def _token(options: StoreOptions, url: str) -> str:
    org = options.extra.get("org") or Address.of(url, EXAMPLE).options.get("org")
    rights = " ".join(f"--read-{each} --write-{each}" for each in ("buckets", "tasks"))
    return f"`influx auth create --org {org} {rights}`, and its token in provision.toml"


def _login(plain: Http, server: Server, options: StoreOptions) -> Iterator[Finding]:
    """A server of 1.x asks for a login only when it is told to; one of 2.x always does."""
    if server.language != "influxql":
        return
    with plain.reading():
        answer = plain.call("GET", "/query", query={"q": "SHOW DATABASES"})
    if answer.ok:
        fix = "set auth-enabled = true in the section [http] of its configuration"
        yield Finding("login", Severity.WARNING, options.name, "the server asks nobody for a password", fix)
    else:
        yield Finding("login", Severity.FINE, options.name, "the server asks for a password")


def _clock(plain: Http, options: StoreOptions) -> Iterator[Finding]:
    before = time.time()
    with plain.reading():
        date = plain.call("GET", "/ping").headers.get("date")
    if not date:
        return
    # HTTP gives whole seconds, cut off.
    ahead = parsedate_to_datetime(date).timestamp() + 0.5 - (before + time.time()) / 2
    yield clock.differs(options.name, ahead, digits=0, why="rollups and retention go by the server's")


def _queries(server: Server, options: StoreOptions) -> Iterator[Finding]:
    if server.runs_rollups() is False:
        fix = "set enabled = true in the section [continuous_queries] of its configuration"
        what = "continuous queries are switched off: no rollup is ever computed"
        yield Finding("rollups", Severity.ERROR, options.name, what, fix)


def _ledger(server: Server, options: StoreOptions) -> Iterator[Finding]:
    name = f"{OWN}{options.project}"
    try:
        tier = (server.tiers(name) or {}).get(LOG_TIER)
    except ConfigError:
        return  # what may not be read is told of as a missing privilege
    if tier is None:
        return
    if tier.duration:
        fix = f'`ALTER RETENTION POLICY "{LOG_TIER}" ON "{name}" DURATION INF`'
        if server.language != "influxql":
            fix = (
                f"`influx bucket list --name {name}/{LOG_TIER}`, and `influx bucket update --retention 0 --id` of that"
            )
        what = f"the ledger {name} is kept only {shown(tier.duration)}, and then forgotten"
        yield Finding("ledger", Severity.ERROR, options.name, what, fix)
    else:
        yield Finding("ledger", Severity.FINE, options.name, f"the ledger {name} is kept for ever")
