"""Settings of a real server of the test's own: shown, changed one at a time, put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import psycopg
import pytest

from provision.cli.main import run
from tests.servers.command_line import Ran
from tests.stores.postgres.projects import Provision

SCHEMAS = Path(__file__).parents[3] / "docs/schemas"
TOML = """
[project]
name = "tuned"
home = "postgres"
[stores.postgres]
[stores.redis]
[environments.local]
embedded = true
[environments.plain]
postgres.url = "${TUNED_URL}"
redis = "off"
"""
MACHINE = ("--memory", "400MB", "--cores", "4", "--disk", "ssd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("tuned")
    (place / "provision.toml").write_text(TOML)
    for name in ("alembic", "redis"):
        (place / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        run(["local", "start", "postgres", "redis"])
        yield place
        run(["local", "stop"])


class Tuned:
    """The project, its server, and one command line after the other."""

    def __init__(self, provision: Provision, url: str) -> None:
        self._provision, self.url = provision, url

    def __call__(self, *arguments: str, env: str = "local") -> Ran:
        return self._provision("tune", *arguments, "--env", env)

    def sql(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for each in statements:
                connection.execute(each.encode())

    def in_file(self) -> dict[str, str]:
        with psycopg.connect(self.url) as connection:
            asked = "select name, setting from pg_file_settings where sourcefile like '%postgresql.auto.conf'"
            return dict(connection.execute(asked).fetchall())

    def settings(self) -> dict[str, dict[str, str]]:
        ran = self("show", *MACHINE, "-o", "json")
        assert ran.code == 0, ran.err
        [found] = json.loads(ran.out)
        return {each["name"]: each for each in found["settings"]}


@pytest.fixture
def tuned(folder: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> Tuned:
    monkeypatch.chdir(folder)
    engines = json.loads(provision("local", "status", "-o", "json").out)["engines"]
    url = next(each["url"] for each in engines if each["store"] == "postgres")
    made = Tuned(provision, url)
    made.sql("alter system reset all", "select pg_reload_conf()", "drop schema if exists provision cascade")
    return made


def test_show_follows_its_schema_and_writes_nothing(tuned: Tuned) -> None:
    ran = tuned("show", *MACHINE, "-o", "json")

    found = json.loads(ran.out)
    jsonschema_rs.validator_for(json.loads((SCHEMAS / "tune_show.json").read_text())).validate(found)
    assert found[0]["machine"] == {"memory_bytes": 400 << 20, "cores": 4, "disk": "ssd"}
    settings = {each["name"]: (each["fit"], each["takes"]) for each in found[0]["settings"]}
    assert settings["work_mem"] == ("differs", "reload")
    assert settings["max_worker_processes"] == ("differs", "restart")
    assert settings["seq_page_cost"] == ("fits", "reload")
    assert settings["shared_buffers"] == ("held elsewhere", "restart")  # an embedded engine is small on purpose
    assert tuned.in_file() == {}
    with psycopg.connect(tuned.url) as connection:
        assert connection.execute("select to_regnamespace('provision')").fetchone() == (None,)


def test_what_the_server_tells_of_its_machine_is_that_of_this_one(tuned: Tuned) -> None:
    [found] = json.loads(tuned("show", "--disk", "hdd", "-o", "json").out)
    pages = int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0]) * 1024
    assert 0 < found["machine"]["memory_bytes"] <= pages
    assert found["machine"]["cores"] >= 1
    assert {each["name"]: each["wanted"] for each in found["settings"]}["random_page_cost"] == "4"


def test_apply_changes_reports_what_waits_and_reset_puts_back_what_was_there(tuned: Tuned) -> None:
    tuned.sql("alter system set work_mem = '7MB'", "alter system set jit = off")
    before = tuned.in_file()

    applied = tuned("apply", *MACHINE)

    assert applied.code == 0, applied.err
    after = tuned.in_file()
    assert "postgres max_worker_processes  is 12, from the next restart on" in applied.out
    assert "postgres shared_buffers  left: the command line says 32MB" in applied.out
    assert (after["work_mem"], after["jit"], after["random_page_cost"]) == ("1MB", "off", "1.1")
    fits = {name: each["fit"] for name, each in tuned.settings().items()}
    assert fits["work_mem"] == "fits"
    assert fits["max_worker_processes"] == "pending restart"
    assert "postgres  nothing to change" in tuned("apply", *MACHINE).out

    one = tuned("reset", "random_page_cost")
    assert "postgres random_page_cost  is what the server has of itself (was 1.1)" in one.out
    assert "random_page_cost" not in tuned.in_file()
    assert tuned("reset").code == 0
    assert tuned.in_file() == before
    assert "nothing to put back" in tuned("reset").out


def test_a_restart_makes_what_waited_fit(tuned: Tuned, provision: Provision) -> None:
    assert tuned("apply", "max_worker_processes", *MACHINE).code == 0
    provision("local", "stop", "postgres")
    provision("local", "start", "postgres")
    assert tuned.settings()["max_worker_processes"]["fit"] == "fits"
    assert tuned("reset").code == 0


def test_applied_twice_with_other_values_goes_back_to_the_first(tuned: Tuned) -> None:
    tuned.sql("alter system set work_mem = '7MB'")
    tuned("apply", "work_mem", "--set", "work_mem=2MB", *MACHINE)
    tuned("apply", "work_mem", "--set", "work_mem=1MB", *MACHINE)
    assert tuned.in_file() == {"work_mem": "1MB"}
    tuned("reset")
    assert tuned.in_file() == {"work_mem": "7MB"}


def test_what_somebody_else_changed_since_stays(tuned: Tuned) -> None:
    tuned("apply", "work_mem", "seq_page_cost", "random_page_cost", *MACHINE)
    tuned.sql("alter system set work_mem = '3MB'")

    ran = tuned("reset")

    assert "postgres work_mem  left: somebody else changed it since, and it stays" in ran.out
    assert tuned.in_file() == {"work_mem": "3MB"}


def test_a_change_that_was_cut_short_is_put_back_too(tuned: Tuned) -> None:
    """Written down, and not done: the process ended in between."""
    tuned("apply", "work_mem", *MACHINE)
    tuned.sql(
        "insert into provision.tune_log (name, before, after, actor) values ('random_page_cost', null, '1.1', 'x')"
    )
    ran = tuned("reset")
    assert (ran.code, tuned.in_file()) == (0, {})


def test_more_than_the_memory_is_refused_and_nothing_changed(tuned: Tuned) -> None:
    ran = tuned("apply", *MACHINE, "--set", "work_mem=256MB")

    assert ran.code == 3
    assert ran.err == (
        "error[dangerous-setting]: work_mem 256MB × 50 connections × 3 processes each = 37.5GB, beside shared_buffers"
        " 32MB, of 400MB memory\n  where  postgres\n"
        "  fix    less work_mem or fewer connections (--set), or apply the whole profile\n"
    )
    assert tuned.in_file() == {}
    tuned.sql("alter system set work_mem = '256MB'", "select pg_reload_conf()")
    assert "  now: work_mem 256MB × 50 connections × 3 processes each = 37.5GB" in tuned("show", *MACHINE).out


WRONG = [
    (("apply", "work_mme", *MACHINE), 2, "error[unknown-setting]: the profile has no setting work_mme\n"),
    (("show", *MACHINE, "--set", "fsync=off"), 2, "error[unknown-setting]: the profile has no setting fsync\n"),
    (("show", *MACHINE, "--set", "work_mem"), 2, "error[bad-setting]: 'work_mem' sets nothing\n"),
    (("apply", *MACHINE, "--set", "work_mem=lots"), 2, "error[bad-setting]: work_mem cannot be 'lots'\n"),
    (("apply", *MACHINE, "--set", "max_connections=3MB"), 2, "error[bad-setting]: max_connections cannot be '3MB'\n"),
    (("apply", "work_mem", *MACHINE, "--set", "work_mem=1kB"), 5, "error[setting-refused]: work_mem = 1kB was refused"),
    (("show", "--memory", "8"), 2, "error[bad-setting]: '8' is no amount of memory\n"),
    (("show", "--memory", "1MB"), 2, "error[bad-setting]: 1MB of memory are too little for a server\n"),
    (("show", "--memory", "9000TB", "--disk", "ssd"), 3, "error[dangerous-setting]: postgres has "),
    (("show", "--only", "redis"), 2, "error[capability-missing]: "),
    (("reset", "jit"), 2, "error[unknown-setting]: jit was not changed by tune\n"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG)
def test_what_is_wrong_is_told(tuned: Tuned, arguments: tuple[str, ...], code: int, message: str) -> None:
    ran = tuned(*arguments)
    assert ran.code == code, ran.err
    assert ran.err.startswith(message), ran.err
    assert tuned.in_file() == {}


# What is typed, words of its fix, and what that fix asks for.
FIXES = [
    (("apply", "work_mme", *MACHINE), "did you mean work_mem?", ("apply", "work_mem", *MACHINE)),
    (("apply", *MACHINE, "--set", "work_mem=256MB"), "less work_mem", ("apply", *MACHINE, "--set", "work_mem=1MB")),
    (("apply", "work_mem", *MACHINE, "--set", "work_mem=1kB"), "--set", ("apply", "work_mem", *MACHINE)),
]


@pytest.mark.parametrize(("wrong", "words", "right"), FIXES)
def test_what_the_fix_asks_for_is_applied(
    tuned: Tuned, wrong: tuple[str, ...], words: str, right: tuple[str, ...]
) -> None:
    assert words in tuned(*wrong).err.partition("\n  fix ")[2]

    assert tuned(*right).code == 0
    assert tuned.in_file()["work_mem"] == "1MB"


def test_a_user_who_may_not_is_told_and_still_sees(tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned.sql("drop role if exists looker", "create role looker login")
    monkeypatch.setenv("TUNED_URL", tuned.url.replace("postgres@", "looker@"))

    blind = tuned("show", env="plain")
    seen = tuned("show", *MACHINE, env="plain")
    refused = tuned("apply", *MACHINE, env="plain")

    assert blind.err == (
        "error[machine-unknown]: postgres does not tell the memory and cores and disk of its machine\n"
        "  where  postgres\n  fix    give --memory 8GB --cores 4 --disk ssd, with what it has\n"
    )
    assert (seen.code, refused.code) == (0, 2)
    assert refused.err.startswith("error[not-allowed]: the settings of the server cannot be read by looker\n")


def test_what_was_changed_before_one_was_refused_counts_and_is_put_back(tuned: Tuned) -> None:
    ran = tuned("apply", "work_mem", "random_page_cost", *MACHINE, "--set", "random_page_cost=-1")

    assert (ran.code, tuned.in_file()) == (5, {"work_mem": "1MB"})
    assert tuned.settings()["work_mem"]["fit"] == "fits"
    assert (tuned("reset").code, tuned.in_file()) == (0, {})
