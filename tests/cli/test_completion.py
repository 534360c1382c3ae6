"""Completion in the shell: names from provision.toml, ids from the files, no driver loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provision.cli.main import run

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
DRIVERS = ("alembic", "sqlalchemy", "psycopg", "clickhouse_connect", "clickhouse_migrations", "redis", "yaml", "rich")
Completed = Callable[..., list[str]]
ROOT = Path(__file__).parents[2]
# What a shell runs in the place of the installed script.
PROGRAM = f"""#!{sys.executable} -P
import sys
sys.path.insert(0, {str(ROOT)!r})
from provision.cli.main import main
main()
"""


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
        "checks/rows.yaml": "",
        "backfills/levels.yaml": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`provision` first on PATH."""
    path = tmp_path / "bin" / "provision"
    path.parent.mkdir()
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return path


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Completed:
    """What is offered for the last of the words."""

    def offered(*words: str) -> list[str]:
        monkeypatch.setenv("_PROVISION_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(("provision", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit) as ended:
            run([])
        assert ended.value.code == 0
        return capsys.readouterr().out.split()

    return offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("do",), ["down", "doctor", "docs"]),
        (("--install",), ["--install-completion"]),
        (("val",), ["validate"]),
        (("up", "--env", ""), ["local", "live"]),
        (("status", "-e", "li"), ["live"]),
        (("up", "--only", "re"), ["redis"]),
        (("graph", "--only", "re"), ["redis"]),
        (("up", "--output", ""), ["text", "json", "github"]),
        (("up", "--allow"), ["--allow-destructive"]),
        (("up", ""), ["postgres/0001", "postgres/ae10", "clickhouse/001", "redis/0001"]),
        (("down", "postgres/a"), ["postgres/ae10"]),
        (("plan", "red"), ["redis/0001"]),
        (("history", "cl"), ["clickhouse/001"]),
        (("resolve", "cl"), ["clickhouse/001"]),
        (("baseline", "cl"), ["clickhouse/001"]),
        (("new", "po"), ["postgres"]),
        (("new", "redis", "text", "--requires", "cl"), ["clickhouse/001"]),
        (("schema", ""), ["arango", "influx", "redis", "weaviate", "checks", "backfills", "partitions", "maintain"]),
        (("local", "st"), ["start", "stop", "status"]),
        (("local", "stop", "c"), ["clickhouse"]),
        (("validate", ""), ["rows", "history"]),
        (("validate", "rows", ""), ["rows"]),
        (("validate", "history", "--suite", ""), ["rows"]),
        (("backfill", "run", ""), ["levels"]),
    ],
    ids=" ".join,
)
def test_completion_offers_names(completed: Completed, words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_completion_in_a_wrong_project_offers_nothing(completed: Completed, shop: Path) -> None:
    (shop / "provision.toml").write_text("nonsense")
    assert completed("up", "--env", "") == []
    assert completed("up", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_printed_for(shell: str) -> None:
    script = asked(f"source_{shell}")
    assert f"_PROVISION_COMPLETE=complete_{shell}" in script
    assert "provision" in script


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_start_up_files_of_earlier_versions_get_the_script(shell: str) -> None:
    assert asked(f"{shell}_source") == asked(f"source_{shell}")


@pytest.mark.parametrize(
    ("shell", "offered"),
    [
        ("bash", "postgres/0001\npostgres/ae10\n"),
        ("zsh", '_arguments \'*: :(("postgres/0001"\n"postgres/ae10"))\'\n'),
        ("fish", "postgres/0001\npostgres/ae10\n"),
    ],
)
def test_completion_answers(shell: str, offered: str) -> None:
    assert asked(f"complete_{shell}", "provision up post") == offered


def test_completion_loads_no_driver() -> None:
    assert loaded("provision up post").isdisjoint(DRIVERS)  # a package is listed as itself, too


def test_completion_of_a_command_imports_none() -> None:
    names = loaded("provision do")
    assert "provision.cli.commands" in names
    assert names.isdisjoint({"provision.cli.move", "provision.cli.show", "provision.cli.doctor", "provision.settings"})


def test_bash_completes_with_the_printed_script(program: Path) -> None:
    """The script is sourced by bash, its function called as bash calls it."""
    script = """
        source <(_PROVISION_COMPLETE=source_bash provision)
        complete -p provision >/dev/null || exit 3
        COMP_WORDS=(provision up --only re) COMP_CWORD=3 COMP_LINE='provision up --only re' COMP_POINT=23
        _provision_completion provision re --only
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert shell("bash", script) == "redis\n"
    assert program.exists()


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.usefixtures("program")
def test_fish_completes_with_the_printed_script() -> None:
    script = "_PROVISION_COMPLETE=source_fish provision | source; complete -C 'provision up --only re'"
    assert shell("fish", script) == "redis\n"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.usefixtures("program")
def test_zsh_takes_the_printed_script() -> None:
    """What `_arguments` makes of an answer only a terminal shows; here it is printed."""
    script = """
        compdef() { echo "$@" }
        _arguments() { print -r -- "$@" }
        eval "$(_PROVISION_COMPLETE=source_zsh provision)"
        words=(provision up --only re) CURRENT=4
        _provision_completion
    """
    assert shell("zsh", script).splitlines() == ["_provision_completion provision", '*: :(("redis"))']


@pytest.mark.usefixtures("program")
def test_show_and_install_recognise_the_shell(shop: Path) -> None:
    # With one command alone, bash would become it and be recognised by nobody.
    shown = shell("bash", "provision --show-completion; true")
    assert shown.strip() == asked("source_bash").strip()
    told = shell("bash", "provision --install-completion; true")
    written = shop / ".bash_completions" / "provision.sh"
    assert told.startswith(f"bash completion installed in {written}\n")
    assert written.read_text() == shown.rstrip("\n")
    assert f"source '{written}'" in (shop / ".bashrc").read_text()


def shell(name: str, script: str) -> str:
    """What a shell prints; it must not complain."""
    without = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
    done = subprocess.run([name, *without, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout


def loaded(words: str) -> set[str]:
    """The modules that are imported to complete the last of the words."""
    told = asked("complete_bash", words, "import atexit, sys; atexit.register(lambda: print(*sys.modules)); ")
    names = set(told.splitlines()[-1].split())
    assert "typer" in names
    return names


def asked(instruction: str, words: str = "", first: str = "") -> str:
    """What a shell is answered; `first` is Python that runs before."""
    line = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(max(len(words.split()) - 1, 0)),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"{first}from provision.cli.main import main; main()"],
        env={**os.environ, **line, "_PROVISION_COMPLETE": instruction, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout
