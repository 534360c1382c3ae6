"""What `doctor` looks at in a PostgreSQL server; reads only, on a connection of its own."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from provision.errors import ConfigError
from provision.model import Finding, Severity, StoreOptions
from provision.stores.postgres.server import Connection, connect, refuse_read_only
from provision.stores.postgres.setup import hygiene
from provision.stores.postgres.setup.pooler import poolers
from provision.text import clock
from provision.text.files import read_text

_RIGHTS = """
select quote_ident(current_user), quote_ident(current_database()),
       has_database_privilege(current_database(), 'CREATE'), quote_ident(current_schema()),
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       (select has_schema_privilege(oid, 'USAGE') and has_schema_privilege(oid, 'CREATE')
        from pg_namespace where nspname = 'provision')
"""
# A table that is not ours to read is no table of ours: to_regclass says nothing of rights.
_WRITABLE = """
select name from unnest(array['provision.ledger', 'provision.fence', 'provision.lease']) as name
where to_regclass(name) is not null and not has_table_privilege(to_regclass(name), 'SELECT, INSERT')
"""
_INVALID = """
select c.oid::regclass::text, i.indrelid::regclass::text, exists (
    select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as building
from pg_index i join pg_class c on c.oid = i.indexrelid
where not i.indisvalid and c.relkind = 'i'
"""
_UNPROVED = """
select p.conrelid::regclass::text, quote_ident(p.conname)
from pg_constraint p join pg_class c on c.oid = p.conrelid
where not p.convalidated and p.contype in ('c', 'f') and not c.relispartition
order by 1, 2
"""
_SECURED = """
select c.oid::regclass::text, c.relforcerowsecurity, row_security_active(c.oid)
from pg_class c where c.relrowsecurity and has_table_privilege(c.oid, 'SELECT') order by 1
"""
_PASSES_BY = (
    "select rolname from pg_roles where rolbypassrls and not rolsuper and pg_has_role(oid, 'MEMBER') order by 1"
)
_SENT = "select detail->>'text' from provision.ledger where project = %s and store = %s and detail ? 'text'"


def look(options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
    """What was found. Raises UnreachableError and ConfigError as opening the store does."""
    del home  # every PostgreSQL that takes writes is fit to be one
    with connect(url, options.name) as connection:
        if role := str(options.extra.get("role", "")):
            connection.execute(psycopg.sql.SQL("set role {}").format(psycopg.sql.Identifier(role)))
        return [
            *_rights(connection, options),
            *poolers(connection, options, url),
            *_clock(connection, options),
            *_indexes(connection, options),
            *_unproved(connection, options),
            *_row_security(connection, options),
            *hygiene.settings(connection, options),
            *hygiene.extensions(connection, options),
            *hygiene.leftovers(connection, options),
            *hygiene.slots(connection, options),
            *_autogenerate(options),
        ]


def _rights(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    row: Any = connection.execute(_RIGHTS).fetchone()
    user, database, may_create, schema, may_fill, ours = row
    missing = []
    try:
        refuse_read_only(connection)
    except ConfigError as error:
        yield _error(options, "writable", error.what, error.fix)
        return
    if not (may_create if ours is None else ours):
        missing.append((f"make the schema provision in {database}", f"`GRANT CREATE ON DATABASE {database} TO {user}`"))
    if schema is None or not may_fill:
        missing.append(
            (f"create tables in {schema or 'any schema'}", f"`GRANT CREATE ON SCHEMA {schema or 'public'} TO {user}`")
        )
    for (name,) in connection.execute(_WRITABLE).fetchall():
        missing.append((f"write {name}", f"`GRANT SELECT, INSERT, UPDATE ON {name} TO {user}`"))
    for what, fix in missing:
        yield _error(options, "privileges", f"{user} may not {what}", fix)
    if not missing:
        yield Finding("privileges", Severity.FINE, options.name, f"{user} may create tables and keep the ledger")


def _clock(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    before = time.time()
    row: Any = connection.execute("select extract(epoch from clock_timestamp())::float8").fetchone()
    yield clock.differs(options.name, row[0] - (before + time.time()) / 2)


def _indexes(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    found = [row for row in connection.execute(_INVALID).fetchall() if not row[2]]
    sent = _sent(connection, options) if found else ""
    for index, table, _ in found:
        name = index.rpartition(".")[2].strip('"')
        if name in sent:
            fix = "`provision up` drops it and builds it again"
            yield _error(
                options, "indexes", f"index {index} on {table} is INVALID: a run ended while it was built", fix
            )
        else:
            fix = f"`REINDEX INDEX CONCURRENTLY {index}`, or `DROP INDEX CONCURRENTLY {index}`"
            yield Finding("indexes", Severity.WARNING, options.name, f"index {index} on {table} is INVALID", fix)
    if not found:
        yield Finding("indexes", Severity.FINE, options.name, "no index is INVALID")


def _unproved(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    """Constraints that hold for every row that is written, and were never proved for those from before."""
    found = connection.execute(_UNPROVED).fetchall()
    if found:
        what = f"not proved for rows from before: {', '.join(f'{table}.{name}' for table, name in found)}"
        proved = ", ".join(f"`ALTER TABLE {table} VALIDATE CONSTRAINT {name}`" for table, name in found)
        fix = f"{proved}, which fails until no row breaks it"
        yield Finding("constraints", Severity.WARNING, options.name, what, fix)


def _row_security(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    """Whether row security binds the owners of its tables, and whether backfills and checks see past it."""
    found = connection.execute(_SECURED).fetchall()
    free = [name for name, forced, _ in found if not forced]
    bound = [name for name, _, active in found if active]
    if free:
        what = f"row security does not bind the owner of {', '.join(free)}"
        forced = ", ".join(f"`ALTER TABLE {name} FORCE ROW LEVEL SECURITY`" for name in free)
        fix = f"{forced}, unless no application connects as the owner"
        yield Finding("row-security", Severity.WARNING, options.name, what, fix)
    if bound:
        roles = [name for (name,) in connection.execute(_PASSES_BY).fetchall()]
        [user] = connection.execute("select quote_ident(current_user)").fetchone() or ("",)
        what = f"row security hides rows of {', '.join(bound)} from this user: backfills refuse, checks see a part"
        fix = f'role = "{roles[0]}" in [stores.{options.name}]' if roles else f"`ALTER ROLE {user} BYPASSRLS`"
        yield Finding("row-security", Severity.WARNING, options.name, what, fix)
    if found and not free and not bound:
        what = f"row security binds all but this user in {len(found)} tables, their owner too"
        yield Finding("row-security", Severity.FINE, options.name, what)


def _sent(connection: Connection, options: StoreOptions) -> str:
    """Every statement that the ledger kept the text of."""
    try:
        rows = connection.execute(_SENT, (options.project, options.name)).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
        return ""
    return "\n".join(row[0] for row in rows)


def _autogenerate(options: StoreOptions) -> Iterator[Finding]:
    """Alembic loads `migrate/autogenerate.py` from 1.18 on; before, env.py itself has to leave our schema out."""
    env = options.path / "env.py"
    if importlib.util.find_spec("alembic.runtime.plugins") is not None or not env.is_file():
        return
    text = read_text(env, options.shown(env))
    if "include_schemas" in text and "provision" not in text:
        what = "env.py sets include_schemas: `alembic revision --autogenerate` writes drop_table for provision's ledger"
        fix = "`pip install 'alembic>=1.18'`, or leave the schema provision out with include_name"
        yield Finding("autogenerate", Severity.WARNING, options.name, what, fix)


def _error(options: StoreOptions, rule: str, message: str, fix: str) -> Finding:
    return Finding(rule, Severity.ERROR, options.name, message, fix)
