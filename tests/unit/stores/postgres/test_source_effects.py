"""What a revision loses, told from its file."""

from __future__ import annotations

import ast
import time

import pytest

from provision.stores.postgres.migrate.losses.file_effects import effects_of
from provision.stores.postgres.migrate.losses.loss import Loss

BODIES = {
    'op.drop_table("t")': ["drops table t and its rows"],
    'op.drop_table("t", schema="s")': ["drops table s.t and its rows"],
    "op.drop_table(NAME)": ["drops table orders and its rows"],
    "for each in NAMES:\n    op.drop_table(each)": ["drops table a and its rows", "drops table b and its rows"],
    "for table, columns in SHAPE.items():\n    for column in columns:\n        op.drop_column(table, column)": [
        "drops column x of t and its values",
        "drops column y of t and its values",
    ],
    'op.drop_column(column_name="c", table_name="t", schema=None)': ["drops column c of t and its values"],
    'with op.batch_alter_table("t", schema="s") as batch:\n    batch.drop_column("c")': [
        "drops column c of s.t and its values"
    ],
    "with op.batch_alter_table(NAME) as b:\n    b.drop_column(column_name='c')": [
        "drops column c of orders and its values"
    ],
    'drop_columns("t", "a", "b")': ["drops column a of t and its values", "drops column b of t and its values"],
    "op.execute(f'DELETE FROM {NAME} WHERE id = {1}')": ["deletes rows of orders"],
    "op.execute('TRUNCATE {}'.format(NAME))": ["empties table orders"],
    "op.execute('TRUNCATE %(t)s' % {'t': NAME})": ["empties table orders"],
    "op.get_bind().execute(sa.text('drop schema ' + NAME))": ["drops schema orders and what is in it"],
    "go('t')": ["drops table t and its rows"],
    "run(later)": ["deletes rows of k"],
    "table = sa.MetaData().tables['t']\nop.execute(sa.delete(table))": ["deletes rows of t"],
    "session.query(Model).filter_by(a=1).delete()": ["deletes rows of models"],
    "Model.__table__.drop(op.get_bind())": ["drops table models and its rows"],
    "Base.metadata.drop_all(op.get_bind())": ["drops table … and its rows"],
    "op.drop_table(compute())": ["drops table … and its rows"],
    "sa.Enum(name='e').drop(op.get_bind())": [],
    "op.drop_index('i', 't')": [],
    "op.drop_constraint('c', 't')": [],
    "op.create_foreign_key('f', 'a', 'b', ['x'], ['y'], ondelete='CASCADE')": [],
    "print('DROP TABLE t')": [],
    "log.info('DROP TABLE t')": [],
    "raise RuntimeError('DROP TABLE t')": [],
    "'''DROP TABLE t'''": [],
    "# op.drop_table('t')\npass": [],
    "cache = {}\ncache.pop('x')": [],
}
FILE = """
NAME = "orders"
NAMES = ["a", "b"]
SHAPE = {{"t": ["x", "y"]}}

class Model(Base):
    __tablename__ = "models"

def go(name):
    op.drop_table(name)

def later():
    op.execute("DELETE FROM k")

def upgrade():
{body}

def downgrade():
    op.drop_table("other")
"""


@pytest.mark.parametrize(("body", "expected"), BODIES.items(), ids=BODIES)
def test_revision_is_read(body: str, expected: list[str]) -> None:
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    module = ast.parse(FILE.format(body=indented))
    assert [str(each) for each in effects_of(module, "upgrade") if isinstance(each, Loss)] == expected


def test_names_that_are_assigned_from_each_other_do_not_multiply() -> None:
    lines = [f"    {one} = {one} + {other} + f'{{{other}}}{{{one}}}'" for one in "abcdefgh" for other in "abcdefgh"]
    module = ast.parse("def upgrade():\n" + "\n".join(lines) + "\n    op.execute(a)\n    op.drop_table('t')\n")
    began = time.monotonic()
    assert "drops table t and its rows" in {str(each) for each in effects_of(module, "upgrade")}
    assert time.monotonic() - began < 10
