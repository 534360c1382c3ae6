"""The digest of what a revision runs: the same for what formatters do, another for what the database would see."""

from __future__ import annotations

import pytest

from provision.stores.postgres.migrate.runs import digest

FILE = '''"""Orders"""

from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None

NAME = "orders"


def columns():
    return [sa.Column("id", sa.BigInteger)]


def upgrade() -> None:
    op.create_table(NAME, *columns())
    op.execute("CREATE INDEX  ON orders (id) -- fast\\n  WHERE note <> 'a  b'")


def downgrade() -> None:
    op.drop_table(NAME)
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Orders"""', "'''All orders'''"),
        ("import sqlalchemy as sa\n", ""),
        (
            "from alembic import op\nimport sqlalchemy as sa\n",
            "import sqlalchemy as sa\nfrom alembic import op\nimport os\n",
        ),
        ('revision = "0001"', 'revision: str = "0001"\nbranch_labels: str | None = None\nrequires = ["redis/1"]'),
        ("def upgrade() -> None:", "def upgrade():\n    '''Makes it.'''\n    pass  # yes"),
        ("op.drop_table(NAME)", "op.execute('DROP TABLE orders')\n    helper()\n\n\ndef helper():\n    pass"),
        ('"CREATE INDEX  ON orders (id) -- fast\\n  WHERE ', '"CREATE INDEX ON orders (id)\\n/* slow */\\tWHERE '),
        ("*columns())", "*columns(),  # here\n    )"),
        ('"CREATE INDEX  ON', '"CREATE INDEX  " "ON'),
    ],
)
def test_formatting_runs_the_same(old: str, new: str) -> None:
    text = FILE if old != "import sqlalchemy as sa\n" else FILE.replace("sa.Column", "Column").replace("sa.", "")
    assert old in text
    assert digest(text.replace(old, new, 1)) == digest(text) != ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'a  b'", "'a b'"),
        ("orders (id)", "Orders (id)"),
        ('NAME = "orders"', 'NAME = "order"'),
        ("sa.BigInteger", "sa.Integer"),
        ("import sqlalchemy as sa", "import other as sa"),
        ("    op.create_table", "    op.execute('x')\n    op.create_table"),
        ("    op.create_table", "    if NAME:\n        op.create_table"),
        ("def upgrade() -> None:\n", "def upgrade() -> None:\n    return\n"),
    ],
)
def test_what_the_database_would_see_is_another(old: str, new: str) -> None:
    assert old in FILE
    assert digest(FILE.replace(old, new, 1)) != digest(FILE)


def test_what_is_no_python_has_none() -> None:
    assert digest("def upgrade(:\n") == ""
    assert digest("\x00") == ""
