"""What PostgreSQL statements touch, as its own parser reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from provision.model import Revision, StoreOptions
from provision.model.touches import Touched, joined
from provision.stores.postgres.lint.reader import PostgresReader

if TYPE_CHECKING:
    from provision.model.lint import Script, World

NEEDS: Sequence[str] = ("pglast",)


def touched(options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]) -> Mapping[str, Touched]:
    """The files before a revision say what an index or a view that it names is of."""
    reader = PostgresReader()
    world = reader.world()
    found = {}
    for each, script in zip(revisions, reader.scripts(options, revisions), strict=True):
        world.begin(script)
        known = joined(_units(script, world))
        if each.id in wanted:
            found[each.id] = known if not script.not_rendered else Touched(known.touches, _unseen(script))
    return found


def _unseen(script: Script) -> str:
    return f"{script.file}: its statements cannot be seen without a database: {script.not_rendered}"


def _units(script: Script, world: World) -> Iterator[Touched]:
    from provision.stores.postgres.lint.touched_statements import touched as of_statement

    for unit in script.units:
        yield of_statement(unit, world)
        if unit.body.node is not None:
            world.add(unit)
