"""Replicated tables of ClickHouse: what their revisions need of the server, and replicas that take no rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from provision.model import Finding, Severity, StoreOptions
from provision.stores.clickhouse.server import Client, ServerRefused
from provision.text.files import read_text

_ENGINE = re.compile(r"\bReplicated\w*MergeTree\b(?:\s*\(\s*'([^']*)'\s*,\s*'([^']*)')?")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_MACRO = re.compile(r"\{(\w+)\}")
# What the server knows of the table itself.
_BUILT_IN = frozenset({"database", "table", "uuid", "server_uuid"})
_DEFAULTS = (
    "SELECT name, value FROM system.server_settings WHERE name IN ('default_replica_path', 'default_replica_name')"
)
_USUAL = {"default_replica_path": "/clickhouse/tables/{uuid}/{shard}", "default_replica_name": "{replica}"}
_ILL = """
SELECT database, table, is_session_expired, zookeeper_path, replica_name FROM system.replicas
WHERE (is_readonly OR is_session_expired) AND database = {name:String} ORDER BY table
"""
_STUCK = """
SELECT table, mutation_id, command, latest_fail_reason FROM system.mutations
WHERE NOT is_done AND latest_fail_reason != '' AND database = {name:String} ORDER BY table, mutation_id
"""


def replicas(client: Client, options: StoreOptions, database: str) -> Iterator[Finding]:
    """What replicated tables lack: a keeper, macros, a name of their own; those that are read-only now."""
    wanted = list(_wanted(options))
    if wanted:
        yield from _keeper(client, options)
        yield from _paths(client, options, wanted)
    for row in client.rows(_ILL, {"name": database}):
        yield ill(options, *row)


def ill(options: StoreOptions, database: str, table: str, expired: int, path: str, name: str) -> Finding:
    """What to say of a row of system.replicas that takes no rows."""
    why = "has lost its session with the keeper" if expired else "is read-only"
    what = f"the replica {name} of {table} {why} (path {path})"
    place = f"{quoted(database)}.{quoted(table)}"
    fix = f"`SYSTEM RESTART REPLICA {place}`; where the keeper has lost it, `SYSTEM RESTORE REPLICA {place}`"
    return Finding("replicas", Severity.ERROR, options.name, what, fix)


def mutations(client: Client, options: StoreOptions, database: str) -> Iterator[Finding]:
    """Mutations that fail again and again: the ones after them never begin."""
    for table, number, command, reason in client.rows(_STUCK, {"name": database}):
        what = f"a mutation of {table} fails again and again: {command}: {reason.partition('. ')[0][:120]}"
        where = f"database = '{_escaped(database)}' AND table = '{_escaped(table)}' AND mutation_id = '{number}'"
        yield Finding("mutations", Severity.WARNING, options.name, what, f"`KILL MUTATION WHERE {where}`")


def _wanted(options: StoreOptions) -> Iterator[tuple[str, str, str]]:
    """File, path and name of each replicated table that a revision makes; empty for what the server gives by itself."""
    for file in sorted(options.path.rglob("*.sql")):
        shown = options.shown(file)
        for found in _ENGINE.finditer(_COMMENT.sub("", read_text(file, shown))):
            yield shown, found[1] or "", found[2] or ""


def _keeper(client: Client, options: StoreOptions) -> Iterator[Finding]:
    try:
        client.rows("SELECT count() FROM system.zookeeper WHERE path = '/'")
    except ServerRefused:
        what = "revisions make replicated tables, and the server has no keeper, or none that answers"
        fix = "name one in <zookeeper> of the server's configuration, or write MergeTree in the revisions"
        yield Finding("replicas", Severity.ERROR, options.name, what, fix)


def _paths(client: Client, options: StoreOptions, wanted: Sequence[tuple[str, str, str]]) -> Iterator[Finding]:
    usual = {**_USUAL, **dict(client.rows(_DEFAULTS))}
    there = {row[0] for row in client.rows("SELECT macro FROM system.macros")} | _BUILT_IN
    for shown, path, name in dict.fromkeys(wanted):
        path, name = path or usual["default_replica_path"], name or usual["default_replica_name"]
        if missing := sorted({*_MACRO.findall(path + name)} - there):
            listed = ", ".join(f"{{{each}}}" for each in missing)
            what = f"{shown} makes a replica at {path} named {name}, and the server knows no {listed}"
            fix = "define it in <macros> of the server's configuration, or leave it out of the path"
            yield Finding("replicas", Severity.ERROR, options.name, what, fix)
        if not _MACRO.search(name):
            what = f"{shown} names every replica {name}: the second server cannot make its own"
            yield Finding("replicas", Severity.WARNING, options.name, what, "write '{replica}' as the name")


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    return f"`{name.replace('`', '``')}`" if not re.fullmatch(r"[A-Za-z_]\w*", name) else name


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
