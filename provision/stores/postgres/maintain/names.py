"""Finds what a job names, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from provision.errors import ConfigError, raise_all
from provision.model.maintain import Job
from provision.stores.postgres.maintain.keys import ALL
from provision.stores.postgres.server import Connection
from provision.text.nearest import near

_RELATIONS = """
select c.oid, format('%%I.%%I', n.nspname, c.relname), c.relname, c.relkind::text, c.relispopulated,
    pg_table_is_visible(c.oid),
    pg_has_role(c.relowner, 'USAGE') or (%s and has_table_privilege(c.oid, {maintain})), pg_get_userbyid(c.relowner)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where {which} and n.nspname not like 'pg\\_%%' and n.nspname not in ('information_schema', 'provision', 'cron')
order by n.nspname, c.relname
"""
MAINTAIN = 17  # PostgreSQL's version in which the right to maintain can be granted


class Relation(NamedTuple):
    """A table or a view. `place` is its whole name as statements have it, `name` as people say it."""

    oid: int
    place: str
    name: str
    kind: str
    filled: bool
    ours: bool
    owner: str


def relations(connection: Connection, job: Job, names: Sequence[str] | str, kinds: str) -> list[Relation]:
    """Those that a job names, or all of these kinds (letters of `pg_class.relkind`).

    Raises ConfigError (unknown-table, wrong-table, not-allowed), or Several.
    """
    if names == ALL:
        found = _asked(connection, "c.relkind::text = any(string_to_array(%s, null)) and not c.relispartition", kinds)
        raise_all([_not_allowed(connection, job, each) for each in found if not each.ours])
        return found
    wrong, result = [], []
    for name in names:
        there = _named(connection, name)
        error = _wrong(connection, job, name, there, kinds)
        if error is not None:
            wrong.append(error)
        else:
            result += there
    raise_all(wrong)
    return result


def _named(connection: Connection, name: str) -> list[Relation]:
    """None of that name, also where it is no name at all: `a.b.c.d`, `"`."""
    try:
        return _asked(connection, "c.oid = to_regclass(%s)", name)
    except psycopg.Error:
        if connection.closed:
            raise
        return []


def _asked(connection: Connection, which: str, value: str) -> list[Relation]:
    new = connection.info.server_version // 10000 >= MAINTAIN
    query = _RELATIONS.format(which=which, maintain="'MAINTAIN'" if new else "'SELECT'")
    rows = connection.execute(query.encode(), (new, value)).fetchall()
    return [Relation(oid, place, name if near_ else place, kind, filled, ours, owner)
            for oid, place, name, kind, filled, near_, ours, owner in rows]  # fmt: skip


def _wrong(connection: Connection, job: Job, name: str, found: Sequence[Relation], kinds: str) -> ConfigError | None:
    thing = "materialized view" if kinds == "m" else "table"
    if not found:
        known = [each.name for each in _asked(connection, "c.relkind::text = any(string_to_array(%s, null))", kinds)]
        fix = near(name, known, f"its {thing}s")
        return ConfigError("unknown-table", f"{job.store} has no {thing} {name}", where=job.shown, fix=fix)
    [only] = found
    if only.kind not in kinds:
        fix = f"{job.kind} is of {thing}s: take it out of the list"
        return ConfigError("wrong-table", f"{name} is no {thing}", where=job.shown, fix=fix)
    return None if only.ours else _not_allowed(connection, job, only)


def _not_allowed(connection: Connection, job: Job, each: Relation) -> ConfigError:
    user = connection.execute("select current_user").fetchone() or ("",)
    what = f"{user[0]} may not {job.kind} {each.name}, which belongs to {each.owner}"
    fix = f"connect as its owner, set role in provision.toml, or GRANT {each.owner} TO {user[0]}"
    return ConfigError("not-allowed", what, where=job.shown, fix=fix)
