"""Who this process is, and whether another one still lives."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from provision import process
from provision.model import Owner


def test_owner_says_user_host_pid_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/provision", "up", "--env", "my env"])

    owner = process.owner({}, "c0ffee")

    assert (owner.pid, owner.command, owner.commit, owner.url) == (
        os.getpid(),
        "provision up --env 'my env'",
        "c0ffee",
        "",
    )
    assert "@" in owner.actor
    assert owner.process == process.identity(os.getpid()) != ""


GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"}


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"PROVISION_RUN_URL": "https://ci/1", **GITHUB}, "https://ci/1"),
        ({"CI_JOB_URL": "https://gitlab/2"}, "https://gitlab/2"),
        (GITHUB, "https://github.com/o/r/actions/runs/7"),
        ({"GITHUB_RUN_ID": "7"}, ""),
    ],
)
def test_owner_says_where_its_run_is_to_be_seen(variables: dict[str, str], url: str) -> None:
    assert process.owner(variables).url == url


def test_owner_without_a_name_for_its_user_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)

    assert process.owner({}).actor.startswith(f"uid{os.getuid()}@")


def test_dead_living_process_is_not() -> None:
    assert not process.dead(Owner("a", os.getpid(), process.identity(os.getpid())))


def test_dead_ended_process_is_even_while_it_waits_to_be_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner("a", child.pid, process.identity(child.pid))
    assert not process.dead(owner)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not reaped

    assert process.identity(child.pid) == ""
    assert process.dead(owner)
    child.communicate()
    assert process.dead(owner)


def test_dead_reused_pid_is() -> None:
    boot, namespace, _ = process.identity(os.getpid()).split()

    assert process.dead(Owner("a", os.getpid(), f"{boot} {namespace} 1"))


@pytest.mark.parametrize("theirs", ["", "otherboot pid:[1] 5", "x"])
def test_dead_process_of_another_machine_cannot_be_told(theirs: str) -> None:
    assert not process.dead(Owner("a", 1, theirs))


def test_dead_where_there_is_no_proc_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "identity", lambda _pid: "")

    assert not process.dead(Owner("a", 1, ""))


def test_owner_of_a_program_that_is_not_ours_has_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/srv/tool.py", "--password", "hunter2"])
    assert process.owner({}).command == "tool.py"


@pytest.mark.parametrize("argv", [None, [], [""]])
def test_owner_in_an_interpreter_without_a_command_line(
    argv: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if argv is None:
        monkeypatch.delattr(sys, "argv")
    else:
        monkeypatch.setattr(sys, "argv", argv)
    assert process.owner({}).command in ("", "''")
