"""`provision.ports.tune.Tuning` of PostgreSQL: by ALTER SYSTEM, which no transaction may hold."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from provision import process
from provision.errors import ConfigError, FailedError
from provision.model.tune import Changed, Fit, Machine, Setting
from provision.stores.postgres.server import Connection, refuse_read_only
from provision.stores.postgres.tune import machine as machines
from provision.stores.postgres.tune.log import TuneLog
from provision.stores.postgres.tune.profile import Wanted, danger, profile
from provision.text.nearest import near

READ_SECONDS = 3.0  # a server that is so slow reads them later
_BYTES = {"": 1, "B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_ASK = """
select name, current_setting(name), setting, coalesce(unit, ''), context, source, pending_restart, vartype
from pg_settings where name = any(%s)
"""
_HOLD = ("command line", "environment variable", "database", "user", "database user", "session", "client")
# What the file says that ALTER SYSTEM writes: the server may not have read it, or not be able to use it yet.
_IN_FILE = "select setting from pg_file_settings where sourcefile like '%%/postgresql.auto.conf' and name = %s"


class _Live(NamedTuple):
    """A setting of the server: `number` is its value, a size in bytes; `unit` what it counts."""

    shown: str
    number: float
    unit: str
    restart: bool
    source: str
    pending: bool


class PostgresTuning:
    """On a connection of its own, in autocommit."""

    def __init__(self, connect: Callable[[], Connection], store: str) -> None:
        self._connect, self._store = connect, store
        self._made: Connection | None = None

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def machine(self) -> Machine:
        return machines.machine(self._open())

    def settings(self, machine: Machine, given: Mapping[str, str]) -> Sequence[Setting]:
        numbers = {name: each.number for name, each in self._live(list(profile(Machine(), {}))).items()}
        wanted = dict(profile(machine, numbers))
        for name, value in given.items():
            if name not in wanted:
                fix = near(name, list(wanted), "settings")
                raise ConfigError("unknown-setting", f"the profile has no setting {name}", where="--set", fix=fix)
            wanted[name] = Wanted(value, "given by --set")
        live = self._live(list(wanted))
        return [self._setting(name, each, live[name]) for name, each in wanted.items() if name in live]

    def danger(self, machine: Machine, values: Mapping[str, str]) -> str:
        names = ["shared_buffers", "work_mem", "max_connections", "max_parallel_workers_per_gather"]
        live = self._live(names)
        return danger(machine, {name: self._coming(name, each, values) for name, each in live.items()})

    def apply(self, settings: Sequence[Setting]) -> Sequence[Changed]:
        actor, changed = process.owner(os.environ).actor, list[Changed]()
        refuse_read_only(self._open())
        try:
            for each in settings:
                before = self._in_file(each.name)
                TuneLog(self._open()).begin(each.name, before, each.wanted, actor)
                self._alter(each.name, each.wanted)
                changed.append(Changed(each.name, before, each.wanted, each.restart))
        finally:  # what was changed before one was refused counts too
            self._read(changed)
        return changed

    def reset(self, names: Sequence[str]) -> tuple[Sequence[Changed], Sequence[str]]:
        log, changed, others = TuneLog(self._open()), list[Changed](), list[str]()
        found = {each.name: each for each in log.open()}
        for name in names:
            if name not in found:
                fix = near(name, list(found), "changed by `tune apply`")
                raise ConfigError("unknown-setting", f"{name} was not changed by tune", where=self._store, fix=fix)
        live = self._live(list(found))
        for each in found.values():
            if names and each.name not in names:
                continue
            now, unit = self._in_file(each.name), live[each.name].unit if each.name in live else ""
            if now is not None and not _alike(now, each.after, unit) and now != each.before:
                others.append(each.name)
                continue
            self._alter(each.name, each.before)
            log.done(each.name)
            changed.append(Changed(each.name, now, each.before, each.name in live and live[each.name].restart))
        self._read(changed)
        return changed, others

    def _setting(self, name: str, wanted: Wanted, live: _Live) -> Setting:
        fit = Fit.DIFFERS
        if _alike(live.shown, wanted.value, live.unit, name):
            fit = Fit.FITS
        elif live.source in _HOLD:
            fit = Fit.HELD
        elif live.pending and (said := self._told_in_file(name)) and _alike(said, wanted.value, live.unit):
            fit = Fit.PENDING
        return Setting(name, live.shown, wanted.value, fit, live.restart, wanted.why, live.source)

    def _coming(self, name: str, live: _Live, values: Mapping[str, str]) -> float:
        """The number that will be in force: a new one, else what waits for a restart, else what is."""
        said = values.get(name) or (self._told_in_file(name) if live.pending else None)
        return live.number if said is None else _number(said, live.unit, name)

    def _told_in_file(self, name: str) -> str | None:
        """As `_in_file`; nothing is told to who may not read it."""
        try:
            return self._in_file(name)
        except ConfigError:
            return None

    def _live(self, names: Sequence[str]) -> dict[str, _Live]:
        rows = self._open().execute(_ASK, (list(names),)).fetchall()
        return {
            name: _Live(shown, _number(setting, unit, name), unit, context == "postmaster", source, bool(pending))
            for name, shown, setting, unit, context, source, pending, _ in rows
        }

    def _in_file(self, name: str) -> str | None:
        try:
            row = self._open().execute(_IN_FILE, (name,)).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            raise self._not_allowed("the settings of the server cannot be read") from None
        return str(row[0]) if row else None

    def _alter(self, name: str, value: str | None) -> None:
        statement = (
            SQL("alter system reset {}").format(Identifier(name))
            if value is None
            else SQL("alter system set {} = {}").format(Identifier(name), Literal(value))
        )
        try:
            self._open().execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            raise self._not_allowed(f"{name} cannot be set") from None
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            what, fix = f"{name} = {value} was refused: {said}", "give another value (--set), or leave it out"
            raise FailedError("setting-refused", what, where=self._store, fix=fix) from None

    def _read(self, changed: Sequence[Changed]) -> None:
        """Let the server read its files, and wait until it did: it is told by a signal."""
        connection = self._open()
        if not changed or connection.closed:
            return
        before = connection.execute("select pg_conf_load_time()").fetchone()
        try:
            connection.execute("select pg_reload_conf()")
        except psycopg.errors.InsufficientPrivilege:
            raise self._not_allowed("the server cannot be told to read its settings") from None
        until = time.monotonic() + READ_SECONDS
        while connection.execute("select pg_conf_load_time()").fetchone() == before and time.monotonic() < until:
            time.sleep(0.01)

    def _not_allowed(self, what: str) -> ConfigError:
        user = self._open().info.user
        fix = f"connect as a superuser, or, from PostgreSQL 15 on, GRANT ALTER SYSTEM ON PARAMETER … TO {user}"
        return ConfigError("not-allowed", f"{what} by {user}", where=self._store, fix=fix)

    def _open(self) -> Connection:
        if self._made is None:
            self._made = self._connect()
        return self._made


def _alike(one: str, other: str, unit: str, name: str = "") -> bool:
    return _number(one, unit, name) == _number(other, unit, name)


def _number(text: str, unit: str, name: str) -> float:
    """A value in whatever unit it is written; of a size, bytes. Raises ConfigError (bad-setting).

    A number alone counts in the unit of the setting: `8kB`, `kB`, `MB`.
    """
    match = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    own = re.fullmatch(r"(\d*)([A-Za-z]*)", unit)
    assert own is not None
    if match is None or (match[2] and (match[2] not in _BYTES or not own[2])):
        fix = "write a number, of a size with kB, MB or GB"
        raise ConfigError("bad-setting", f"{name or 'a setting'} cannot be {text!r}", where="--set", fix=fix)
    if match[2]:
        return float(match[1]) * _BYTES[match[2]]
    return float(match[1]) * (int(own[1] or 1) * _BYTES[own[2]] if own[2] in _BYTES else 1)
