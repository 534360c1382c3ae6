"""A file that cannot be compiled or imported stops `up` before anything ran, in whatever store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import edit, script
from tests.cli.test_fixes_followed import alembic
from tests.servers.command_line import Provision


@pytest.mark.parametrize(
    ("line", "what"), [("def upgrade(:", "invalid syntax"), ("import nowhere_at_all", "No module named")]
)
@pytest.mark.parametrize("own_process", ["false", "true"])
def test_last_file_that_cannot_run_stops_up_before_the_first_statement_anywhere(
    small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch, line: str, what: str, own_process: str
) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__OWN_PROCESS", own_process)
    place = alembic(small, "0003", "pass")
    place.write_text(f"{place.read_text()}{line}\n")

    ran = provision("up", "--allow-destructive")

    assert ran.code == 2, ran
    assert what in ran.err
    assert "alembic/versions/0004_kept.py" in ran.err
    assert provision("history").out == "nothing was done yet\n"


@pytest.mark.parametrize("options", [("--allow-destructive",), ()])
def test_fifth_file_of_clickhouse_that_cannot_be_cut_stops_up_before_the_first(
    small: Path, provision: Provision, options: tuple[str, ...]
) -> None:
    edit(small / "alembic" / "versions" / "0003_order_notes.py", "destructive = True", "")
    for number in range(3, 8):
        script(small, f"{number:03d}_more", "SELECT 1;\n" if number < 7 else "SELECT 'a;\n")

    ran = provision("up", *options)

    assert ran.code == 2, ran
    assert "error[unclear-statement]" in ran.err
    assert "where  clickhouse/007_more.sql:1" in ran.err
    assert provision("history").out == "nothing was done yet\n"
