"""`-o github`: annotations, and the summary of the job; refused where there is nothing to annotate."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.cli.render.summary import VARIABLE, table
from tests.cli.projects import edit
from tests.servers.command_line import Provision, masked


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "summary.md"
    monkeypatch.setenv(VARIABLE, str(place))
    return place


def test_plan_annotates_losses_and_summarizes_the_steps(small: Path, provision: Provision, summary: Path) -> None:
    assert provision("up", "postgres/0002").code == 0
    edit(small / "alembic/versions/0003_order_notes.py", "Notes on orders", "Notes | <on> orders")
    ran = provision("plan", "--only", "postgres", "-o", "github")
    assert ran.code == 0
    assert (
        "::warning file=alembic/versions/0003_order_notes.py,title=loses data::postgres/0003 loses data: its author"
        " says that it loses data\n" in ran.out
    )
    told = summary.read_text()
    assert told.startswith("### small · test: 1 to apply\n\n|  | revision | does |  |\n| --- | --- | --- | --- |\n")
    assert "| postgres/0003 | Notes \\| &lt;on> orders, read back while they are made | loses data: " in told


@pytest.mark.usefixtures("small")
def test_status_annotates_and_summarizes_the_stores(provision: Provision, summary: Path) -> None:
    ran = provision("status", "-o", "github")
    assert ran.out.count("::warning file=") == 7
    assert "| redis | redis 6.2.14 | redis://HOST/0 | 2 to apply |" in masked(summary.read_text())


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("command", ["history", "graph"])
def test_refused_with_a_sentence_where_nothing_is_annotated(provision: Provision, command: str) -> None:
    ran = provision(command, "-o", "github")
    told = "::error title=usage::invalid value for '--output' / '-o': 'github' is not one of 'text', 'json'"
    assert (ran.code, ran.out[: len(told)]) == (2, told)


def test_summary_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/summary.md")
    table("a", ("b",), [("c",)])
    err = capsys.readouterr().err
    assert err == "warning: the summary of the job cannot be written: /nowhere/summary.md: no such file or directory\n"
