"""An InfluxDB 1.x server: one InfluxQL statement a request; every answer is looked into, since refusals come as 200."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from provision.documents.refused import Refused
from provision.errors import ConfigError, ProvisionError
from provision.model import StoreOptions
from provision.model.stats import TableStats
from provision.net.http import Address, Answer, Http, refused_login
from provision.stores.influx.migrate import influxql
from provision.stores.influx.migrate.influxql import quoted, text
from provision.stores.influx.server import EXAMPLE, LOG_MEASUREMENT, LOG_TIER, Point, Rows
from provision.text.durations import SECOND, nanoseconds

if TYPE_CHECKING:
    from provision.stores.influx.migrate.model import Rollup, Tier

PAGE = 1000
OWN_DATABASES = ("_internal",)
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_NO_DATABASE = "database not found: "
_NO_TIER = "retention policy not found: "
_LOGIN = f"correct user and password in the url ({EXAMPLE})"


def open_1(options: StoreOptions, address: Address, version: str) -> Server1:
    """The open server. Raises UnreachableError, or ConfigError (wrong-password, not-allowed, needless-key)."""
    needless = [key for key in ("token", "org") if options.extra.get(key)]
    if needless:
        raise ConfigError(
            "needless-key",
            f"{options.name}.{needless[0]} is for InfluxDB 2.x, the server is {version}",
            where=address.base,
            fix=f"remove it, and write {EXAMPLE}",
        )
    login = {}
    if address.user:
        word = b64encode(f"{address.user}:{address.password}".encode()).decode()
        login = {"authorization": f"Basic {word}"}
    server = Server1(Http(address.base, login, options), version)
    try:
        server.databases()
    except ProvisionError:
        server.close()
        raise
    return server


class _Series:
    """One series of an answer; `rows` gives each as a mapping from column to value."""

    def __init__(self, series: Mapping[str, Any]) -> None:
        self.name = str(series.get("name", ""))
        self._columns = series["columns"]
        self.tags: Mapping[str, str] = series.get("tags", {})
        self.values: Rows = series.get("values", [])
        self.partial = bool(series.get("partial"))

    def rows(self) -> Iterator[dict[str, Any]]:
        yield from (dict(zip(self._columns, values, strict=True)) for values in self.values)


class _Words(Exception):
    """Raised with the server's words for a query that it understood and would not answer."""


class Server1:
    """Safe to use from several threads."""

    language = "influxql"

    def __init__(self, http: Http, version: str) -> None:
        self._http, self.version, self.shown = http, version, http.shown

    def databases(self) -> Sequence[str]:
        return [name for name in self._names("SHOW DATABASES") if name not in OWN_DATABASES]

    def tiers(self, database: str) -> Mapping[str, Tier] | None:
        try:
            (series,) = self._asked(f"SHOW RETENTION POLICIES ON {quoted(database)}")
        except _Words as words:
            if str(words).startswith(_NO_DATABASE):
                return None
            raise self._unexpected(words) from None
        return {row["name"]: _tier(database, row) for row in series.rows()}

    def unfinished(self, tier: Tier) -> str:
        del tier  # one statement makes all of it
        return ""

    def ensure_none(self, database: str, tier: str = "") -> None:
        """The server refuses a listing to those who may not see all of it."""

    def ensure_no_rollup(self) -> None:
        """As of tiers."""

    def create_database(self, name: str) -> None:
        self.run(influxql.create_database(name))

    def drop_database(self, name: str) -> None:
        self.run(influxql.drop_database(name))

    def create_tier(self, tier: Tier) -> None:
        self.run(influxql.create_tier(tier))

    def alter_tier(self, database: str, name: str, duration: int | None, shard: int | None, *, default: bool) -> None:
        self.run(influxql.alter_tier(database, name, duration, shard, default=default))

    def drop_tier(self, database: str, name: str) -> None:
        self.run(influxql.drop_tier(database, name))

    def rollups(self, database: str) -> Sequence[str]:
        return list(self.queries(database))

    def queries(self, database: str) -> Mapping[str, str]:
        """Name → text of every continuous query of a database, in the order in which the server runs them."""
        for series in self._answer("SHOW CONTINUOUS QUERIES"):
            if series.name == database:
                return {row["name"]: row["query"] for row in series.rows()}
        return {}

    def difference(self, rollup: Rollup) -> str | None:
        from provision.stores.influx.migrate.canonical import canonical

        found = self.queries(rollup.database).get(rollup.name)
        if found is None:
            return None
        if canonical(found) == canonical(influxql.create_rollup(rollup)):
            return ""
        return f"rollup {rollup.name} of {rollup.database} is there as `{found}`"

    def create_rollup(self, rollup: Rollup) -> None:
        self.run(influxql.create_rollup(rollup))

    def drop_rollup(self, database: str, name: str) -> None:
        self.run(influxql.drop_rollup(database, name))

    def rows(self, text: str) -> Rows:
        return [
            [value for column, value in row.items() if column != "time"]
            for series in self._answer(text)
            for row in series.rows()
        ]

    def records(self, text: str, seconds: float) -> Iterator[Mapping[str, Any]]:
        # As POST it is not asked for again when it took too long.
        with self._http.reading():
            sent = urlencode({"q": text, "epoch": "ns"})
            answer = self._http.call("POST", "/query", sent, headers=_FORM, seconds=seconds)
        for series in self._read(answer):
            if series.partial:
                raise self._unexpected(_Words("the answer is longer than max-row-limit allows"))
            yield from ({**series.tags, **row} for row in series.rows())

    def run(self, text: str) -> None:
        with self._http.writing():
            answer = self._http.call("POST", "/query", urlencode({"q": text}), headers=_FORM)
        said = _said(answer)
        if said:
            login = refused_login(answer, self.shown, said, _LOGIN)
            raise Refused(said, login.fix if login else "")

    def make_log(self, database: str) -> None:
        # Not the tier that a server may be set to make, or not to make, with every database.
        self.run(f"CREATE DATABASE {quoted(database)} WITH DURATION INF REPLICATION 1 NAME {quoted(LOG_TIER)}")

    def points(self, database: str, tags: Mapping[str, str], since: int) -> Sequence[Point]:
        found: list[Point] = []
        place = f"{quoted(database)}.{quoted(LOG_TIER)}.{quoted(LOG_MEASUREMENT)}"
        only = " AND ".join(f"{quoted(name)} = {text(value)}" for name, value in tags.items())
        while True:
            asked = f"SELECT * FROM {place} WHERE {only} AND time >= {since} ORDER BY time LIMIT {PAGE}"
            try:
                listed = self._asked(asked)
            except _Words as words:
                if str(words).startswith((_NO_DATABASE, _NO_TIER)):
                    return ()
                raise self._unexpected(words) from None
            page = [(row.pop("time"), row) for series in listed for row in series.rows()]
            found += page
            # A server that is told to cut answers off says so.
            if len(page) < PAGE and not any(series.partial for series in listed):
                return found
            since = page[-1][0] + 1

    def write(self, database: str, line: str) -> None:
        with self._http.writing():
            answer = self._http.call("POST", "/write", line, query={"db": database, "rp": LOG_TIER, "precision": "ns"})
        if not answer.ok:
            raise Refused(_said(answer))

    def made(self, database: str) -> Mapping[str, Rollup | str]:
        from provision.stores.influx.migrate import parse

        return {name: parse.rollup(each) or each for name, each in self.queries(database).items()}

    def others(self) -> Sequence[str]:
        lines = []
        if users := [row["user"] for series in self._answer("SHOW USERS") for row in series.rows()]:
            lines.append(f"users {', '.join(sorted(users))}: `SHOW GRANTS FOR …` shows what they may")
        listed = self._answer("SHOW SUBSCRIPTIONS")
        if named := [f"{row['name']} of {series.name}" for series in listed for row in series.rows()]:
            lines.append(f"subscriptions {', '.join(sorted(named))}: `SHOW SUBSCRIPTIONS` shows where they send to")
        return lines

    def strays(self) -> Mapping[str, str]:
        return {}  # every continuous query is one that `made` says

    def missing_rights(self) -> str:
        try:
            self._answer("SHOW USERS")  # for administrators alone, as is all that makes or drops a tier
        except ConfigError as error:
            return f"this login is no administrator: {error.what}"
        return ""

    def sizes(self) -> Mapping[str, TableStats] | None:
        clock = next(next(each.rows()) for each in self._answer("SHOW DIAGNOSTICS") if each.name == "system")
        begun, now = (datetime.fromisoformat(str(clock[key])) for key in ("started", "currentTime"))
        seconds = max((now - begun).total_seconds(), 1.0)
        found: dict[str, list[int]] = {}
        for each in self._answer("SHOW STATS"):
            if each.name == "shard" and each.tags["database"] not in OWN_DATABASES:
                sums = found.setdefault(f"{each.tags['database']}.{each.tags['retentionPolicy']}", [0, 0])
                for row in each.rows():
                    sums[0] += int(row["diskBytes"])
                    sums[1] += int(row["writePointsOk"])
        return {
            name: TableStats(None, size, None, round(written / seconds, 3))
            for name, (size, written) in sorted(found.items())
        }

    def runs_rollups(self) -> bool | None:
        try:
            (series,) = [each for each in self._answer("SHOW DIAGNOSTICS") if each.name == "config-cqs"]
        except (ConfigError, ValueError):
            return None  # it may not be asked, or a later version has another name for it
        return bool(next(series.rows()).get("enabled"))

    def close(self) -> None:
        self._http.close()

    def _names(self, text: str) -> list[str]:
        return [row["name"] for series in self._answer(text) for row in series.rows()]

    def _answer(self, text: str) -> list[_Series]:
        try:
            return self._asked(text)
        except _Words as words:
            raise self._unexpected(words) from None

    def _asked(self, text: str) -> list[_Series]:
        """Raises _Words for a refusal that the caller may expect."""
        with self._http.reading():
            answer = self._http.call("GET", "/query", query={"q": text, "epoch": "ns"})
        return self._told(answer)

    def _read(self, answer: Answer) -> list[_Series]:
        try:
            return self._told(answer)
        except _Words as words:
            raise self._unexpected(words) from None

    def _told(self, answer: Answer) -> list[_Series]:
        """The series of an answer. Raises _Words."""
        said = _said(answer)
        if said:
            login = refused_login(answer, self.shown, said, _login_fix(said))
            raise login or _Words(said)
        (result,) = answer.body["results"]
        return [_Series(each) for each in result.get("series", ())]

    def _unexpected(self, words: _Words) -> ConfigError:
        return ConfigError("server-refused", f"the server refused: {words}", where=self.shown, fix="see to the cause")


def _login_fix(said: str) -> str:
    return f"write {EXAMPLE}" if said.startswith("unable to parse") else _LOGIN


def _said(answer: Answer) -> str:
    """What the server holds against a request; empty when nothing. A body of 200 can hold it as well."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if "error" in body:
        return str(body["error"])
    for result in body.get("results", ()):
        if "error" in result:
            return str(result["error"])
    if answer.ok and (answer.status == 204 or "results" in body):
        return ""
    return f"HTTP {answer.status} {' '.join(answer.text.split())[:200]}".strip()


def _tier(database: str, row: Mapping[str, Any]) -> Tier:
    from provision.stores.influx.migrate.model import Tier

    # Later versions have more columns: read by name.
    duration, shard = (nanoseconds(row[key]) // SECOND for key in ("duration", "shardGroupDuration"))
    return Tier(database, row["name"], duration, shard, bool(row["default"]))
