"""A small project of somebody else, whose tests take their databases from `provision.testing`, through the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.walks.pages import Disagreement

TESTS = 8
FILES = {
    "conftest.py": 'pytest_plugins = ["provision.testing.databases"]\n',
    "pytest.ini": "[pytest]\nprovision_env = local\n",
    "tests/test_orders.py": f"""\
import psycopg
import pytest


@pytest.fixture
def orders(provisioned_postgres):
    with psycopg.connect(provisioned_postgres, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("number", range({TESTS}))
def test_order_is_kept_and_nobody_elses_is_there(orders, number):
    orders.execute("insert into orders (id, status) values (%s, 'new')", (number,))
    assert orders.execute("select id, status from orders").fetchall() == [(number, "new")]


def test_revisions_are_all_there(provisioned):
    assert provisioned.status().pending == ()
""",
}
REVISION = """\
revision = "{0}"
down_revision = {1}

from alembic import op


def upgrade():
    op.execute("{2}")


def downgrade():
    op.execute("{3}")
"""
STATEMENTS = (
    ("0001", None, "create table orders (id int primary key)", "drop table orders"),
    ("0002", "0001", "alter table orders add status text", "alter table orders drop column status"),
)


def tested(place: Path, wheel: Path, pins: Path, variables: dict[str, str]) -> str:
    """What pytest says at its end, in one process and in two. Raises Disagreement."""
    python = str(place / "venv" / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", str(pins)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), **variables}
    subprocess.run([*install, f"{wheel}[local,testing]", "pytest-xdist"], check=True, env=environment)
    root = written(place / "example", Path(python).with_name("provision"), environment)
    said = ""
    for processes in ("0", "2"):
        line = [python, "-m", "pytest", "-q", "-n", processes]
        done = subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode or not re.search(rf"^{TESTS + 1} passed", done.stdout, re.MULTILINE):
            raise Disagreement(f"the example's tests, {processes} processes: {done.stdout}{done.stderr}")
        said = done.stdout.strip().splitlines()[-1]
    if (root / ".provision").exists():
        raise Disagreement("the example's tests left engines in its folder")
    return said


def written(root: Path, provision: Path, environment: dict[str, str]) -> Path:
    """The project, begun by `provision init`; its revisions are written as `new` leaves them to be filled in."""
    root.mkdir()
    subprocess.run([provision, "init", "--stores", "postgres"], cwd=root, env=environment, check=True, stdout=-3)
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    for number, parent, up, down in STATEMENTS:
        text = REVISION.format(number, f'"{parent}"' if parent else None, up, down)
        [versions] = root.glob("**/versions")
        (versions / f"{number}_orders.py").write_text(text)
    return root
