"""What a PostgreSQL server is set to, has, and keeps for nobody: settings, extensions, transactions, slots."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Finding, Severity, StoreOptions
from provision.stores.postgres.migrate.blockers import Blocker, blocker
from provision.stores.postgres.migrate.hindrances import LONGEST
from provision.stores.postgres.server import Connection
from provision.text import durations
from provision.text.files import read_text

# Setting → what its being off takes from a run.
RISKS = {
    "fsync": "a crash of its machine may leave what was applied in pieces",
    "full_page_writes": "a crash of its machine may leave what was applied in pieces",
    "synchronous_commit": "a crash may lose the newest entries of the ledger",
    "track_activities": "a run does not see whether its statement still works, nor who is in its way",
}
# Whoever starts a server with one of them off, in its command, throws the server away.
_SETTINGS = """
select name, source, quote_ident(session_user), quote_ident(current_database()) from pg_settings
where name = any(%s) and setting = 'off' and source not in ('command line', 'override') order by name
"""
_OUTDATED = """
select quote_ident(name), installed_version, default_version from pg_available_extensions
where installed_version <> default_version order by name
"""
_AVAILABLE = "select name from pg_available_extensions"
_CREATE = re.compile(r'^(?!\s*(?:--|#)).*\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?\\?"?([\w-]+)', re.I | re.M)
# Those of Debian and of apt.postgresql.org that are called otherwise.
_PACKAGES = {
    **{f"pg_{name}": name for name in ("cron", "partman", "repack", "similarity", "squeeze")},
    "postgis": "postgis-3",
    "vector": "pgvector",
}
_IDLE = """
select pid, coalesce(usename, '')::text, coalesce(application_name, ''),
       extract(epoch from clock_timestamp() - xact_start)::int, left(coalesce(query, ''), 60)
from pg_stat_activity where datname = current_database() and state like 'idle in transaction%%'
and xact_start < clock_timestamp() - make_interval(secs => %s) order by xact_start
"""
_PREPARED = """
select quote_literal(gid), extract(epoch from clock_timestamp() - prepared)::int from pg_prepared_xacts
where database = current_database() and prepared < clock_timestamp() - make_interval(secs => %s) order by prepared
"""
# Beyond max_wal_size, so that the disk fills with what nobody reads.
_SLOTS = """
select slot_name, quote_literal(slot_name), pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))
from pg_replication_slots
where not active and not temporary and not pg_is_in_recovery() and wal_status in ('extended', 'unreserved') order by 1
"""


def settings(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    """Settings that are off, and what a run loses by that."""
    for name, source, user, database in connection.execute(_SETTINGS, (list(RISKS),)).fetchall():
        fix = {
            "user": f"`ALTER ROLE {user} RESET {name}`",
            "database": f"`ALTER DATABASE {database} RESET {name}`",
            "database user": f"`ALTER ROLE {user} IN DATABASE {database} RESET {name}`",
            "client": f"leave {name} out of the url and of PGOPTIONS",
        }.get(source, f"`ALTER SYSTEM SET {name} = on`, then `SELECT pg_reload_conf()`")
        yield _warning(options, "settings", f"{name} is off: {RISKS[name]}", fix)


def extensions(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    """Those that are older than their files on the server, and those that a revision makes and the server lacks."""
    for name, installed, newest in connection.execute(_OUTDATED).fetchall():
        what = f"extension {name} is {installed}, and {newest} is there"
        yield _warning(options, "extensions", what, f"`ALTER EXTENSION {name} UPDATE`")
    there = {name for (name,) in connection.execute(_AVAILABLE).fetchall()}
    for path in sorted((*options.path.rglob("*.py"), *options.path.rglob("*.sql"))):
        for name in sorted({each.lower() for each in _CREATE.findall(read_text(path, options.shown(path)))} - there):
            version = connection.info.server_version // 10000
            what = f"{options.shown(path)} makes the extension {name}, which the server has no files of"
            package = f"postgresql-{version}-{_PACKAGES.get(name, name.replace('_', '-'))}"
            fix = f"`apt-get install {package}` on the server's machine (Debian), or leave it out of the revision"
            yield _warning(options, "extensions", what, fix)


def leftovers(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    """Transactions that keep their locks and do nothing."""
    longest = durations.typed(str(options.extra.get("longest_transaction", LONGEST)))
    for row in connection.execute(_IDLE, (longest,)).fetchall():
        who: Blocker = blocker(*row)
        what = f"{who.name} has kept its locks for {who.age} s and does nothing: {who.query}"
        yield _warning(options, "transactions", what, f"`SELECT pg_terminate_backend({who.pid})`, or let it end")
    for gid, age in connection.execute(_PREPARED, (longest,)).fetchall():
        what = f"the prepared transaction {gid} has kept its locks for {age} s"
        yield _warning(options, "transactions", what, f"`ROLLBACK PREPARED {gid}`, or COMMIT PREPARED")


def slots(connection: Connection, options: StoreOptions) -> Iterator[Finding]:
    """Replication slots that nobody reads, and whose log fills the disk."""
    for name, quoted, kept in connection.execute(_SLOTS).fetchall():
        what = f"the replication slot {name} keeps {kept} of log for nobody: the disk fills"
        fix = f"`SELECT pg_drop_replication_slot({quoted})`, unless its reader comes back"
        yield _warning(options, "disk", what, fix)


def _warning(options: StoreOptions, rule: str, message: str, fix: str) -> Finding:
    return Finding(rule, Severity.WARNING, options.name, message, fix)
