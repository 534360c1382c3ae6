"""`plan` and `doctor` try the files of what is to run; where nothing is, nothing is started for it."""

from __future__ import annotations

import pytest

from provision.stores.postgres.migrate import apart
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project
from tests.stores.postgres.test_clickhouse import Clickhouse, clickhouse

__all__ = ["clickhouse"]
BROKEN = {
    "syntax": ("op.execute('select 1'", "bad-header", "'(' was never closed", ":14"),
    "text": ("op.execute('select 1)", "bad-header", "unterminated string literal", ":14"),
    "outside": ("pass\n\nreturn 1", "bad-header", "'return' outside function", ":16"),
    "module": ("pass\n\nimport no_such_module", "alembic-refused", "No module named 'no_such_module'", ":16"),
    "name": ("pass\n\nfrom alembic.op import no_such", "alembic-refused", "cannot import name 'no_such'", ":16"),
    "value": ("pass\n\nx = 1 / 0", "alembic-refused", "ZeroDivisionError: division by zero", ":16"),
}


@pytest.fixture
def broken(project: Project, request: pytest.FixtureRequest) -> Project:
    environments.written(project.root, environments.PLAIN)
    project.write("0001")
    project.write("0002", up=request.param)
    return project


CASES = pytest.mark.parametrize(("broken", "code", "what", "line"), BROKEN.values(), ids=BROKEN, indirect=["broken"])


@CASES
@pytest.mark.parametrize("command", [("plan",), ("plan", "--sql"), ("plan", "--offline")], ids=" ".join)
def test_plan_stops_at_a_file_that_cannot_run(
    broken: Project, code: str, what: str, line: str, command: tuple[str, ...]
) -> None:
    ran = broken.provision(*command)

    assert ran.code == 2
    assert f"error[{code}]: " in ran.err
    assert what in ran.err
    assert f"alembic/versions/0002_step.py{line}" in ran.err


@CASES
def test_doctor_names_a_file_that_cannot_run(broken: Project, code: str, what: str, line: str) -> None:
    ran = broken.provision("doctor")

    assert ran.code == 1, code
    assert what in ran.out
    assert f"alembic/versions/0002_step.py{line}" in ran.out


def test_missing_module_is_named_before_anything_ran(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", up="pass\n\nimport no_such_module")

    ran = project.provision("plan")

    assert "fix    install it, or correct the line" in ran.err
    assert project.rows("select count(*) from pg_tables where schemaname in ('provision', 'public')") == [(0,)]


def test_nothing_is_tried_where_nothing_is_to_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    environments.written(project.root, environments.PLAIN)
    project.tables(2)
    project.up()

    def asked(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(apart, "ask", asked)

    for command in (("up",), ("status",), ("plan",), ("status", "--check")):
        project.done(*command)
    project.write("0003")
    project.done("status")


def test_plan_and_doctor_cut_the_files_of_clickhouse(clickhouse: Clickhouse) -> None:
    clickhouse.tables(1)
    clickhouse.write(2, "SELECT 1;\nSELECT 'a;\n")

    for command in ("plan", "doctor"):
        ran = clickhouse.provision(command)
        assert ran.code == (2 if command == "plan" else 1)
        assert "a string that begins here is not closed" in ran.out + ran.err
        assert "clickhouse/002_step.sql:2" in ran.out + ran.err
