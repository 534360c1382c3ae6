"""A second PostgreSQL store for the copy of this project, so that two Alembic lanes run in processes of their own."""

from __future__ import annotations

from pathlib import Path

from provision.kinds import with_engine

ORDERS = "orders"
# store → kind of its embedded engine
ENGINES = {**{kind: kind for kind in with_engine()}, ORDERS: "postgres"}
_TABLE = 'op.execute("create table step{n} (x int)")'
_ROW = 'op.execute("insert into step1 values ({n})")'
_BLOCK = "with op.get_context().autocommit_block():\n        "
_INDEX = _BLOCK + 'op.execute("create index concurrently step{n} on step1 (x)")'
_UNDO_INDEX = _BLOCK + 'op.execute("drop index concurrently step{n}")'
# up, down, what it requires of other stores
_STEPS = (
    (_TABLE, 'op.execute("drop table step{n}")', ()),
    (_ROW, 'op.execute("delete from step1 where x = {n}")', ("postgres/0002",)),
    (_INDEX, _UNDO_INDEX, ()),
    (_ROW, 'op.execute("delete from step1 where x = {n}")', ("clickhouse/001",)),
    (_TABLE, 'op.execute("drop table step{n}")', ("postgres/0014", "redis/0001")),
)
_REVISION = '''"""step {n}"""
from alembic import op
revision = "{n:04d}"
down_revision = {parent!r}
requires = {requires!r}
def upgrade():
    {up}
def downgrade():
    {down}
'''
_TRAPPED = "from tests.chaos import traps\ntraps.in_lane({store!r})\n"


def added(folder: Path) -> None:
    """Write the store into the copy, and let every env.py there spring the traps that its run was given."""
    toml = folder / "provision.toml"
    place = f'[stores.{ORDERS}]\nkind = "postgres"\npath = "{ORDERS}"\n\n[stores.clickhouse]'
    toml.write_text(toml.read_text().replace("[stores.clickhouse]", place, 1))
    env = (folder / "alembic/env.py").read_text()
    for store, path in (("postgres", folder / "alembic"), (ORDERS, folder / ORDERS)):
        (path / "versions").mkdir(parents=True, exist_ok=True)
        head, future, rest = env.partition("from logging.config")
        (path / "env.py").write_text(head + _TRAPPED.format(store=store) + future + rest)
    for n, (up, down, requires) in enumerate(_STEPS, 1):
        parent = f"{n - 1:04d}" if n > 1 else None
        text = _REVISION.format(n=n, parent=parent, requires=requires, up=up.format(n=n), down=down.format(n=n))
        (folder / ORDERS / "versions" / f"{n:04d}_step.py").write_text(text)
