"""The rules of every kind: what their pages show is made as a project, and linted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provision.lint.names import COMMON
from tests.lint import pages
from tests.servers.command_line import Provision

BLOCK = re.compile(r"^```\w+\n(?:#|--) (?P<file>\S+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
LEVEL = re.compile(r"Level: (?P<level>error|warning)\.")


def files(rule: str, section: str) -> Iterator[tuple[str, str]]:
    """Path and text of each file of a section; each block begins with a comment that names its file."""
    for found in BLOCK.finditer(pages.sections(rule)[section] + "\n"):
        yield found["file"], found["text"]


@pytest.fixture
def linted(
    project: Path, git: Callable[..., None], provision: Provision
) -> Callable[[str, str], list[tuple[str, str]]]:
    """Rule and level of each finding in the files of a section; where a file stands twice, main has the first."""
    toml = project / "provision.toml"
    toml.write_text(toml.read_text().replace("[environments.local]", "[stores.redis]\n[environments.local]"))

    def found(rule: str, section: str) -> list[tuple[str, str]]:
        written = [each for each, _ in files(rule, section)]
        assert written, f"{rule}: {section} has no file"
        git("init", "-q", "-b", "main")
        for file, text in files(rule, section):
            if (project / file).exists():
                git("add", "-A")
                git("commit", "-qm", "main")
            (project / file).parent.mkdir(exist_ok=True)
            (project / file).write_text(text)
        since = ("--changed-since", "main") if len(written) > len({*written}) else ()
        report = json.loads(provision("lint", "-o", "json", *since).out)
        return [(each["rule"], each["severity"]) for each in report["findings"]]

    return found


@pytest.mark.parametrize("rule", COMMON, ids=[f"{name}_err" for name in COMMON])
def test_files_to_avoid_are_found(rule: str, linted: Callable[[str, str], list[tuple[str, str]]]) -> None:
    level = LEVEL.search((pages.PAGES / f"{rule}.md").read_text())
    assert level is not None
    assert (rule, level["level"]) in linted(rule, "Instead of")


@pytest.mark.parametrize("rule", COMMON, ids=[f"{name}_ok" for name in COMMON])
def test_files_to_write_are_not_found(rule: str, linted: Callable[[str, str], list[tuple[str, str]]]) -> None:
    assert linted(rule, "Use") == []
