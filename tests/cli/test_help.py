"""`--help`: grouped, on a terminal of 80 columns, from a list that imports no command; true for every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provision import kinds
from provision.cli.commands import COMMANDS, GROUPS
from provision.cli.group import OLD_NAMES
from provision.cli.main import run
from tests.servers.command_line import Provision

ROOT = Path(__file__).parents[2]
COMMAND_MODULES = {f"provision.cli.{entry.module}" for entry in COMMANDS.values()}
DRIVERS = (
    "alembic", "sqlalchemy", "psycopg", "clickhouse_connect", "clickhouse_migrations", "redis", "influxdb_client",
    "urllib3", "yaml", "jsonschema_rs", "rich", "pydantic",
)  # fmt: skip


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_help_lists_every_command_in_its_group_on_one_line(provision: Provision) -> None:
    ran = provision("--help")
    groups = dict.fromkeys(GROUPS, ())
    title = ""
    for line in ran.out.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line[:-1]
        elif title in groups and line.strip():
            groups[title] = (*groups[title], line.strip())
    wide = max(map(len, COMMANDS))
    assert {title: lines[: len(GROUPS[title])] for title, lines in groups.items()} == {
        title: tuple(f"{name:{wide}}  {entry.line}" for name, entry in commands.items())
        for title, commands in GROUPS.items()
    }
    assert [each for each in ran.out.splitlines() if each[:-1] in GROUPS] == [f"{title}:" for title in GROUPS]
    assert (ran.code, ran.err) == (0, "")


def test_help_names_every_kind_of_store(provision: Provision) -> None:
    told = provision("--help").out
    assert [each.name for each in kinds.every() if each.title not in told] == []


@pytest.mark.parametrize("words", ["--help", "-h", "--version", "nonsense"])
def test_what_belongs_to_no_command_imports_none(words: str) -> None:
    names = loaded(words)
    assert "provision.cli.commands" in names
    assert names.isdisjoint(COMMAND_MODULES)
    assert {name.split(".")[0] for name in names}.isdisjoint(DRIVERS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_imports_its_own_module_alone(name: str) -> None:
    names = loaded(*name.split(), "--help")
    assert names & COMMAND_MODULES == {f"provision.cli.{COMMANDS[name].module}"}


@pytest.mark.parametrize("group", ["local", "lock", "backfill"])
def test_a_group_alone_prints_its_help_as_a_mistake(provision: Provision, group: str) -> None:
    ran = provision(group)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"Usage: provision {group} [OPTIONS] COMMAND [ARGS]...\n")
    assert ran.err.strip() == provision(group, "--help").out.strip()


def test_usage_names_arguments_as_the_help_does(provision: Provision) -> None:
    out = provision("new", "--help").out
    assert out.startswith("Usage: provision new [OPTIONS] STORE MESSAGE\n")
    assert [line.split()[0] for line in out.splitlines() if "[required]" in line] == ["STORE", "MESSAGE"]


def test_version(provision: Provision) -> None:
    ran = provision("--version")
    assert (ran.code, ran.err, ran.out.split()[0]) == (0, "", "provision")


@pytest.mark.parametrize("words", [("validate",), ("validate", "history"), ("validate-probability-data",)])
def test_help_of_validate_and_its_history(provision: Provision, words: tuple[str, ...]) -> None:
    ran = provision(*words, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: provision {' '.join(words)} [OPTIONS]")
    listed = f"  history  {COMMANDS['validate history'].line}\n" in ran.out
    assert listed is (words == ("validate",))


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("validate", "history", "--nonsense"), "provision validate history"),
        (("validate", "--nonsense"), "provision validate"),
        (("lock", "release", "--nonsense"), "provision lock release"),
    ],
)
def test_mistakes_name_the_command_of_two_words(provision: Provision, words: tuple[str, ...], where: str) -> None:
    assert provision(*words) == (
        2,
        "",
        f"error[usage]: no such option '--nonsense'\n  where  {where}\n  fix    {where} --help\n",
    )


def test_ctrl_c_before_anything_is_done_is_an_error_and_no_other_exit_code(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("provision.cli.site.project", interrupted)
    ran = provision("graph")
    assert (ran.code, ran.err.splitlines()[0]) == (5, "error[interrupted]: stopped before anything was done")
    assert run(["--version"]) == 0


def loaded(*words: str) -> set[str]:
    """Every module that this command line imports."""
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.__stderr__)); "
        "from provision.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("old", OLD_NAMES)
def test_option_by_its_old_name_is_known_and_not_listed(provision: Provision, old: str) -> None:
    new = OLD_NAMES[old]
    ran = [provision("up", "--env", "nowhere", each) for each in (old, new, f"{new}x")]
    assert ran[0] == ran[1]
    assert ran[0].err != ran[2].err
    told = provision("up", "--help").out
    assert (old in told, new in told) == (False, True)


def test_command_of_a_suite_is_shown_where_the_suite_is(
    provision: Provision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "validate-probability-data" not in provision("--help").out
    assert provision("validate-probability-data", "--help").code == 0
    (tmp_path / "provision.toml").touch()
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/probability.yaml").touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert "validate-probability-data" in provision("--help").out
