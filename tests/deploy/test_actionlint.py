"""actionlint over the workflows of this repository, and over every block of docs/ci.md that GitHub would read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_pieces import ROOT, blocks
from tests.servers.required import not_run

OURS = re.compile(r"OWNER/provision/(\.github/actions/provision)@v[\d.]+")
JOB = {"on": ["pull_request"], "jobs": {"one": {"runs-on": "ubuntu-24.04"}}}


def lint(text: str, place: Path) -> str:
    """What actionlint says of a workflow beside the action of this repository, whose inputs it then knows."""
    go = os.environ.get("GOPATH", f"{Path.home()}/go")
    program = shutil.which("actionlint", path=f"{os.environ['PATH']}:{go}/bin")
    if program is None:
        not_run("actionlint", "sh tests/servers/install.sh actionlint", "actionlint")
    shutil.copytree(ROOT / ".github" / "actions", place / ".github" / "actions")
    workflow = place / ".github" / "workflows" / "one.yml"
    workflow.parent.mkdir()
    workflow.write_text(text, encoding="utf-8")
    (place / ".git").mkdir()
    line = [program, "-no-color", str(workflow)]
    done = subprocess.run(line, cwd=place, stdin=-3, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_workflow_of_this_repository(file: Path, tmp_path: Path) -> None:
    assert lint(file.read_text(encoding="utf-8"), tmp_path) == ""


@pytest.mark.parametrize("number", range(3))
def test_block_of_the_page(number: int, tmp_path: Path) -> None:
    block = blocks("GitHub")[number]
    workflow = block if isinstance(block, dict) else {**JOB, "jobs": {"one": {**JOB["jobs"]["one"], "steps": block}}}
    assert lint(OURS.sub(r"./\1", yaml.safe_dump(workflow)).replace("true:", "on:", 1), tmp_path) == ""


def test_every_block_of_the_page_is_linted_and_a_mistake_is_found(tmp_path: Path) -> None:
    assert len(blocks("GitHub")) == 3
    steps = [{"uses": "./.github/actions/provision", "with": {"comand": "verify"}}]
    said = lint(yaml.safe_dump({**JOB, "jobs": {"one": {**JOB["jobs"]["one"], "steps": steps}}}), tmp_path)
    assert 'input "comand" is not defined in action' in said
