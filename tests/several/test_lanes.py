"""Several PostgreSQL stores in one run: each revision lands in its own store's database, whatever the others do."""

from __future__ import annotations

from itertools import combinations_with_replacement
from pathlib import Path

import alembic
import pytest

from tests.several.conftest import Make
from tests.several.project import Several
from tests.stores.postgres import environments
from tests.stores.postgres.projects import rows

SLOW = "import time; time.sleep(0.5)"
NAMES_ASYNCPG = """\
url = config.get_main_option("sqlalchemy.url").replace("+psycopg:", "+asyncpg:")
config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
"""


@pytest.mark.parametrize("count", [2, 5])
def test_up_and_down_each_store_holds_its_own_tables_alone(several: Make, count: int) -> None:
    project = several(count)
    for store in project.urls:
        for number in range(1, 6):
            project.revision(store, number)

    project.up()

    for store in project.urls:
        assert_whole(project, store, 5)
    down = project.run("down", "--all", "--allow-destructive")
    assert down.code == 0, down.err
    assert [project.tables(store) for store in project.urls] == [[]] * count


def test_up_slow_imports_in_one_store_do_not_move_the_others_statements(several: Make) -> None:
    project = several(2)
    for number in range(1, 4):
        project.revision("a", number)
        project.revision("b", number, top=SLOW)

    project.up()

    assert_whole(project, "a", 3)
    assert_whole(project, "b", 3)


def test_up_requires_in_both_directions_are_kept(several: Make) -> None:
    project = several(2)
    for number in range(1, 7):
        project.revision("a", number, requires=(f"b/{number - 1:04d}",) if number > 1 else ())
        project.revision("b", number, requires=(f"a/{number:04d}",))

    ended = project.up()

    order = [line.split()[1] for line in ended.out.splitlines() if line.startswith("  ✓")]
    assert order == [f"{store}/{number:04d}" for number in range(1, 7) for store in "ab"]
    assert_whole(project, "a", 6)
    assert_whole(project, "b", 6)


ASYNC = (Path(alembic.__file__).parent / "templates/async/env.py").read_text()
ENVIRONMENTS = {
    "plain": environments.PLAIN,
    "begin": environments.BEGIN,
    "own connection": environments.OWN,
    "async": ASYNC,
    "async with asyncpg": ASYNC.replace("config = context.config\n", "config = context.config\n" + NAMES_ASYNCPG, 1),
}


@pytest.mark.parametrize(("first", "second"), list(combinations_with_replacement(ENVIRONMENTS, 2)))
def test_up_any_two_env_py_keep_apart(several: Make, first: str, second: str) -> None:
    project = several(2)
    project.env("a", ENVIRONMENTS[first])
    project.env("b", ENVIRONMENTS[second])
    for number in range(1, 4):
        project.revision("a", number)
        project.revision("b", number)

    project.up()

    assert_whole(project, "a", 3)
    assert_whole(project, "b", 3)


def test_up_one_lane_fails_the_others_stop_and_go_on_later(several: Make) -> None:
    project = several(3)
    for store in "abc":
        for number in range(1, 4):
            project.revision(store, number)
    project.revision("b", 2, 'op.execute("select nothing")')
    project.revision("c", 3, requires=("b/0002",))

    failed = project.run("up")

    assert failed.code == 5
    assert 'error[statement-failed]: column "nothing" does not exist [42703]' in failed.err
    assert "b/versions/0002_step.py:7: statement 1: select nothing; rolled back: nothing of it was kept" in failed.err
    assert project.tables("b") == ["b0001"]
    assert "c0003" not in project.tables("c")
    project.revision("b", 2)
    project.up()
    for store in "abc":
        assert project.tables(store) == [f"{store}{number:04d}" for number in range(1, 4)]


def test_up_a_revision_that_leaves_the_process_fails_its_lane_alone(several: Make) -> None:
    project = several(2)
    project.revision("a", 1)
    project.revision("b", 1, "import os; os._exit(3)")

    ended = project.run("up")

    assert ended.code == 5
    assert "error[process-ended]: the process that ran the revisions of b was ended with exit code 3" in ended.err
    assert project.tables("b") == []


def test_up_a_revision_that_raises_system_exit_is_a_failure(several: Make) -> None:
    project = several(1)
    project.revision("a", 1, "raise SystemExit(0)")

    ended = project.run("up")

    assert ended.code == 5
    assert ended.err.startswith("error[revision-failed]: SystemExit: 0\n  where  a/versions/0001_step.py:7\n")


def test_up_env_py_that_patches_python_itself_ends(several: Make) -> None:
    project = several(1)
    (project.folder / "monkey_patch.py").write_text("import threading; threading.Thread.is_alive = lambda self: True")
    project.env(
        "a", f"import sys; sys.path.insert(0, {str(project.folder)!r}); import monkey_patch\n{environments.PLAIN}"
    )
    project.revision("a", 1)

    project.up()

    assert_whole(project, "a", 1)


def test_up_own_process_is_asked_for_in_the_configuration(several: Make) -> None:
    project = several(1)
    toml = project.folder / "provision.toml"
    toml.write_text(toml.read_text().replace('path = "a"', 'path = "a"\nown_process = true'))
    project.revision("a", 1, 'import os; op.execute(f"create table t{os.getpid()} (x int)")')

    run = project.start("up")
    pid = run.pid

    assert run.end().code == 0
    assert project.tables("a") not in ([], [f"t{pid}"])


def assert_whole(project: Several, store: str, count: int) -> None:
    """Tables, ledger and version table of the store are those of its own revisions."""
    numbers = [f"{number:04d}" for number in range(1, count + 1)]
    assert project.tables(store) == [f"{store}{number}" for number in numbers]
    assert project.ledger(store) == [(f"{store}/{number}", "applied") for number in numbers]
    assert rows(project.urls[store], "select version_num from alembic_version") == [(numbers[-1],)]


def test_up_two_stores_of_one_database_and_version_table_are_refused(several: Make) -> None:
    project = several(2)
    toml = project.folder / "provision.toml"
    toml.write_text(toml.read_text().replace(project.urls["b"], project.urls["a"]))
    project.revision("a", 1)
    project.revision("b", 1)

    refused = project.run("up")

    assert refused.code == 2
    assert refused.err.startswith(
        "error[shared-versions]: a and b keep their versions in one table: alembic_version of"
    )
    assert project.tables("a") == []
    toml.write_text(toml.read_text().replace('path = "b"', 'path = "b"\nversion_table = "b_version"'))
    project.env(
        "b", environments.PLAIN.replace("connection=connection", "connection=connection, version_table='b_version'")
    )
    project.up()
    assert rows(project.urls["a"], "select revision from provision.ledger order by 1") == [("a/0001",), ("b/0001",)]
