"""The programs in docs/library.md run as they are written."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import provision
from provision import Project
from tests.library.shop import Shop, until, working

PAGE = Path(__file__).parents[2] / "docs/library.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def block(part: str) -> str:
    """The one program with this in it."""
    [found] = [each for each in BLOCKS if part in each]
    return str(found)


def run(part: str) -> dict[str, Any]:
    """What the program leaves."""
    names: dict[str, Any] = {"__name__": "docs"}
    exec(compile(block(part), f"{PAGE.name}: {part}", "exec"), names)
    return names


@pytest.fixture
def page(tmp_path: Path, url: str, empty_redis: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The project `shop` of the page, in the working directory."""
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path)
    made = Shop(tmp_path / "shop", url, empty_redis)
    made.write_orders()
    made.stream("orders")
    return made


def test_every_program_is_run_here() -> None:
    parts = ("report = project.up()", "plan=plan", "elif isinstance(event, Note)", "LeaseHeld", "pytest.fixture")
    assert {block(each) for each in (*parts, "lifespan", "airflow", "rate=5000")} == set(BLOCKS)


def test_the_first_moves_the_project(page: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    run("report = project.up()")
    out = capsys.readouterr().out.splitlines()
    assert out == ["('postgres/0001', 'redis/0001')", "['postgres/0001', 'redis/0001']"]
    assert page.tables() == ["orders"]


def test_a_plan_is_looked_at_and_applied(page: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    run("plan=plan")
    assert "postgres/0001 ('create table orders (n bigint primary key, source text)',)" in capsys.readouterr().out
    assert page.tables() == ["orders"]


@pytest.mark.usefixtures("page")
def test_events_are_iterated_over(capsys: pytest.CaptureFixture[str]) -> None:
    left = run("elif isinstance(event, Note)")
    assert [each.step.id for each in left["report"].done] == ["postgres/0001", "redis/0001"]
    assert re.search(r"^postgres/0001 \d+ ms$", capsys.readouterr().out, re.MULTILINE)


def test_errors_are_told_apart(page: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    page.revision('op.execute("select nothing from nowhere")')
    with pytest.raises(provision.StatementFailed):
        run("LeaseHeld")
    assert "not done: ('postgres/0002'" in capsys.readouterr().out
    page.open().up("postgres/0001")
    (page.root / "alembic/versions/0002_step.py").unlink()
    drop = page.root / "alembic/versions/0002_drop.py"
    text = (page.root / "alembic/versions/0001_step.py").read_text()
    drop.write_text(
        text.replace('revision = "0001"', 'revision = "0002"')
        .replace("down_revision = None", 'down_revision = "0001"')
        .replace("create table orders (n bigint primary key, source text)", "drop table orders")
    )
    run("LeaseHeld")
    assert capsys.readouterr().out.startswith("destructive\n")


TEST = """\
import psycopg

def test_the_tables_are_there(database):
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from orders").fetchall() == [(0,)]
"""


def test_the_fixture_makes_a_database(tmp_path: Path, url: str) -> None:
    made = Shop(tmp_path, url)
    made.write_orders()
    file = tmp_path / "provision.toml"
    file.write_text(
        file.read_text().split("[environments.")[0] + '[environments.test]\nembedded = true\nredis = "off"\n'
    )
    (tmp_path / "conftest.py").write_text(block("pytest.fixture"))
    (tmp_path / "test_it.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
    assert [each.state for each in Project.open(tmp_path, "test").engines()] == ["absent"]


Lifespan = Callable[[object], AbstractAsyncContextManager[None]]


def test_a_web_application_starts_when_its_database_is_there(page: Shop) -> None:
    lifespan: Lifespan = run("lifespan")["lifespan"]

    async def serve() -> list[str]:
        async with lifespan(object()):
            return page.tables()

    async def workers() -> list[list[str]]:
        return await asyncio.gather(*(serve() for _ in range(3)))

    assert asyncio.run(workers()) == [["orders"]] * 3


def test_a_web_application_that_is_ended_early_stops_its_migration(page: Shop) -> None:
    page.slow(2)
    last = page.table()
    lifespan: Lifespan = run("lifespan")["lifespan"]

    async def serve() -> None:
        async with lifespan(object()):
            raise AssertionError("never reached")

    async def main() -> None:
        serving = asyncio.create_task(serve())
        await asyncio.to_thread(until, lambda: working(page), "the slow statement")
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(main())
    assert page.open().status().pending[-1] == last
    assert page.open().lock() is None


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much of it as the page needs."""
    package, decorators = ModuleType("airflow"), ModuleType("airflow.decorators")
    decorators.task = lambda function: function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", package)
    monkeypatch.setitem(sys.modules, "airflow.decorators", decorators)


@pytest.mark.usefixtures("airflow")
def test_a_task_migrates_and_goes_on_when_it_is_retried(page: Shop) -> None:
    bad = page.revision('op.execute("select nothing from nowhere")')
    migrate = run("airflow")["migrate"]
    with pytest.raises(provision.StatementFailed):
        migrate()
    file = page.root / "alembic/versions/0002_step.py"
    file.write_text(file.read_text().replace("nothing from nowhere", "1"))
    assert bad in migrate()
    assert page.open().status().pending == ()


def test_rows_are_filled_and_checked(page: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    page.open().up()
    page.execute("insert into orders select i from generate_series(1, 20) i")
    run("rate=5000")
    assert capsys.readouterr().out == "succeeded 20 rows\n"


def test_the_table_names_every_method_and_no_other() -> None:
    public = {name for name in dir(Project) if not name.startswith("_")}
    table = PAGE.read_text().split("| to | call")[1].split("\n\n")[0]
    told = set(re.findall(r"`(\w+)(?:\(|`)", table))
    told |= {f"backfill{each}" for each in told if each.startswith("_")}
    assert public - told - {"open", "name", "env", "root", "stores"} == set()
