"""Completion in the shell: names from provision.toml, ids from the files, no driver loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from provision.cli.main import cli

TOML = """
[project]
name = "shop"
[stores.postgres]
[stores.clickhouse]
[stores.redis]
[environments.local]
embedded = true
[environments.live]
"""
DRIVERS = ("alembic", "sqlalchemy", "psycopg", "clickhouse_connect", "clickhouse_migrations", "redis", "rich")


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "provision.toml").write_text(TOML)
    for name, text in {
        "alembic/versions/0001_a.py": 'revision = "0001"\n',
        "alembic/versions/x_b.py": 'revision: str = "ae10"\n',
        "alembic/versions/notes.py": "",
        "clickhouse/001_a.sql": "",
        "clickhouse/001_a.down.sql": "",
        "redis/0001_a.yaml": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(*words: str) -> list[str]:
    """What is offered for the last of the words."""
    completion = ShellComplete(cli, {}, "provision", "_PROVISION_COMPLETE")
    return [each.value for each in completion.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("do",), ["down", "doctor"]),
        (("up", "--env", ""), ["local", "live"]),
        (("status", "-e", "li"), ["live"]),
        (("up", "--only", "re"), ["redis"]),
        (("up", ""), ["postgres/0001", "postgres/ae10", "clickhouse/001", "redis/0001"]),
        (("down", "postgres/a"), ["postgres/ae10"]),
        (("plan", "red"), ["redis/0001"]),
        (("history", "cl"), ["clickhouse/001"]),
        (("resolve", "cl"), ["clickhouse/001"]),
        (("baseline", "cl"), ["clickhouse/001"]),
        (("new", "po"), ["postgres"]),
        (("new", "redis", "text", "--requires", "cl"), ["clickhouse/001"]),
        (("schema", ""), ["arango", "influx", "redis", "weaviate", "checks", "backfills"]),
        (("local", "st"), ["start", "stop", "status"]),
        (("local", "stop", "c"), ["clickhouse"]),
    ],
)
def test_completion_offers_names(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_completion_in_a_wrong_project_offers_nothing(shop: Path) -> None:
    (shop / "provision.toml").write_text("nonsense")
    assert completed("up", "--env", "") == []
    assert completed("up", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_printed_for(shell: str) -> None:
    done = asked(f"{shell}_source", "")
    assert "_PROVISION_COMPLETE" in done
    assert "provision" in done


def test_completion_loads_no_driver() -> None:
    assert asked("bash_complete", "provision up post").split() == ["plain,postgres/0001", "plain,postgres/ae10"]
    loaded = asked("bash_complete", "provision up post", "-X", "importtime")
    names = {line.rpartition("|")[2].strip().split(".")[0] for line in loaded.splitlines()}
    assert "click" in names
    assert names.isdisjoint(DRIVERS)


def asked(instruction: str, words: str, *python: str) -> str:
    """What a shell is answered; with options for Python, what that says instead."""
    line = {"COMP_WORDS": words, "COMP_CWORD": str(max(len(words.split()) - 1, 0))}
    done = subprocess.run(
        [sys.executable, *python, "-c", "from provision.cli.main import main; main()"],
        env={**os.environ, **line, "_PROVISION_COMPLETE": instruction, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stderr if python else done.stdout
