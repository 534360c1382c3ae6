"""Mutations of a table: which were issued since a picture, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from provision.stores.clickhouse.migrate.parse.tokens import Name, literal
from provision.stores.clickhouse.migrate.probe.picture import Picture, PictureReader


class Mutation(NamedTuple):
    """A command and its state: "done", "running", "failed" (with the server's reason) or "absent"."""

    command: str
    state: str
    reason: str = ""


def mutations_after(connection: PictureReader, name: Name, number: int) -> list[Mutation]:
    """The mutations of a table later than `number`, in order."""
    rows = connection.rows(
        "SELECT toUInt64OrZero(extract(mutation_id, '[0-9]+')) AS number, command,"
        " multiIf(is_killed, 'failed', is_done, 'done', latest_fail_reason != '', 'failed', 'running'),"
        " if(is_killed, 'it was killed', latest_fail_reason) FROM system.mutations"
        f" WHERE database = {literal(name.database)} AND table = {literal(name.name)} AND number > {number}"
        " ORDER BY number"
    )
    return [Mutation(str(command), str(state), str(reason)) for _, command, state, reason in rows]


def mutation_states(
    connection: PictureReader, names: Iterable[Name], before: Picture, commands: tuple[str, ...]
) -> list[Mutation]:
    """What became of each command since `before`."""
    found: dict[str, Mutation] = {}
    for name in names:
        start = before[str(name)].mutation if str(name) in before else 0
        found |= {mutation.command: mutation for mutation in mutations_after(connection, name, start)}
    return [found.get(command, Mutation(command, "absent")) for command in commands]
