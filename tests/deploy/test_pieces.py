"""What is pasted into CI: steps run in bash as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from provision.embedded import engine

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / ".github/actions/provision/action.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
TOML = '[project]\nname = "shop"\nhome = "redis"\n[stores.redis]\n[environments.local]\nembedded = true\n'
STREAM = "up:\n  - create_stream: {name: events, maxlen: 10, description: all}\ndown: auto\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """A project of one store; `provision` and a `pip` that installs nothing are on its PATH."""
    root = tmp_path / "shop"
    (root / "redis").mkdir(parents=True)
    (root / "provision.toml").write_text(TOML)
    (root / "redis" / "0001_events.yaml").write_text(STREAM)
    programs = tmp_path / "bin"
    programs.mkdir()
    entry = "import sys; sys.argv[0] = 'provision'; from provision.cli.main import main; main()"
    script(programs / "provision", f'exec {sys.executable} -P -c "{entry}" "$@"')
    for name in ("pip", "python"):
        script(programs / name, f'printf "%s\\n" "$*" >>{tmp_path}/installed')
    yield root
    engine("redis", "redis", root / ".provision").reset()


def script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def bash(text: str, root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As runners call it: `-e` and `pipefail`, nothing at a terminal."""
    environment = {
        "PATH": f"{root.parent / 'bin'}:{os.environ['PATH']}",
        "HOME": str(root.parent),
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    line = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return subprocess.run(
        line, cwd=root, env=environment, stdin=-3, capture_output=True, text=True, check=False, timeout=120
    )


def inputs(**given: str) -> dict[str, str]:
    return {name: given.get(name, str(each.get("default", ""))) for name, each in ACTION["inputs"].items()}


def step(name: str, given: Mapping[str, str], root: Path) -> subprocess.CompletedProcess[str]:
    """A step of the composite action with its inputs filled in."""
    [found] = [each for each in ACTION["runs"]["steps"] if each["name"] == name]
    variables = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda one: given[one[1]], value)
        for key, value in found["env"].items()
    }
    assert "${{" not in found["run"]  # what strangers write is no part of a shell's text
    return bash(found["run"], root, **variables)


def test_action_installs_what_its_inputs_say(shop: Path) -> None:
    ran = step("install", inputs(extras="redis", version="==0.1.0"), shop)
    assert ran.returncode == 0, ran.stderr
    assert (shop.parent / "installed").read_text().endswith("provision-toolkit[redis]==0.1.0\n")


def test_action_runs_the_command_with_annotations(shop: Path) -> None:
    ran = step("run", inputs(command="up", env="local"), shop)
    assert ran.returncode == 0, ran.stderr
    ran = step("run", inputs(command="status --check", env="local"), shop)
    assert ran.returncode == 0, ran.stdout
    (shop / "redis" / "0002_more.yaml").write_text(STREAM.replace("events", "more"))
    ran = step("run", inputs(command="status --check", env="local"), shop)
    assert (ran.returncode, "::" in ran.stdout) == (1, True)


def test_action_runs_nothing_that_is_in_its_inputs(shop: Path) -> None:
    ran = step("run", inputs(command="status; touch broken", env="$(touch broken)"), shop)
    assert ran.returncode == 2
    assert not (shop / "broken").exists()


def blocks(heading: str) -> list[Any]:
    part = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)]


def test_gitlab_job_runs(shop: Path) -> None:
    job = blocks("GitLab")[0]["migrations"]
    ran = bash("\n".join([*job["before_script"], *job["script"]]), shop)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [(shop / each).is_file() for each in job["artifacts"]["reports"]["junit"]] == [True, True, True]


def test_github_job_runs(shop: Path) -> None:
    job = blocks("GitHub")[0]["jobs"]["migrations"]
    git = "git -c user.name=a -c user.email=a@b.c"
    made = "git init -q -b main && printf '.provision/\\n' >.gitignore && git add . && {0} commit -qm first"
    branched = (
        "git update-ref refs/remotes/origin/main HEAD && git checkout -qb more && {0} commit -q --allow-empty -m more"
    )
    assert bash(f"{made} && {branched}".format(git), shop).returncode == 0
    lines = [each["run"] for each in job["steps"] if "run" in each]
    assert len(lines) == 4
    ran = bash("\n".join(lines), shop)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_hook_of_the_page_is_one_of_ours() -> None:
    [repo] = blocks("pre-commit")[0]["repos"]
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {each["id"] for each in repo["hooks"]} <= {each["id"] for each in ours}


def test_image_is_of_a_base_of_choice_and_not_roots() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = [each.split(" ", 1) for each in lines if each and not each.startswith(("#", " "))]
    names = [word for word, *_ in words]
    assert lines[2].startswith("ARG BASE=")
    assert [rest[0] for word, *rest in words if word == "FROM"] == ["${BASE} AS build", "${BASE}"]
    assert names.index("USER") > len(names) - 1 - names[::-1].index("FROM")
    assert "HEALTHCHECK" in names
