"""`docs`, and the pages that the wheel brings: they are there, their links hold, and messages name the command."""

from __future__ import annotations

import email
import json
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import TYPE_CHECKING

import pytest
import yaml
from typer.core import TyperGroup

from provision.cli.main import UsageError, cli
from provision.cli.render import docs as render
from provision.cli.usage import ELSEWHERE
from provision.text import pages

if TYPE_CHECKING:
    from tests.servers.command_line import Provision

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(place)]
    subprocess.run([*command, "--disable-pip-version-check", str(ROOT)], check=True, stdin=subprocess.DEVNULL)
    [file] = place.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def test_wheel_has_the_pages_and_every_link_of_them_holds(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {f"provision/docs/{name}.md" for name in pages.listed()} < names
    assert {f"provision/docs/schemas/{each.name}" for each in (DOCS / "schemas").iterdir()} < names
    assert [name for name in names if name.startswith("provision/docs/") and name.endswith(".py")] == []
    for name in sorted(each for each in names if each.endswith(".md")):
        for path, anchor in _LINK.findall(wheel.read(name).decode()):
            if path.startswith("http"):
                continue
            target = normpath(str(PurePosixPath(name).parent / path)) if path else name
            assert target in names or any(each.startswith(f"{target}/") for each in names), f"{name}: {path}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", wheel.read(target).decode(), re.MULTILINE)
                slugs = [re.sub(r"[^\w -]", "", each.lower()).strip().replace(" ", "-") for each in titles]
                assert anchor in slugs, f"{name}: {path}#{anchor}"


def test_metadata_is_whole_and_its_text_holds_anywhere(wheel: zipfile.ZipFile) -> None:
    [name] = [each for each in wheel.namelist() if each.endswith("/METADATA")]
    said = email.message_from_string(wheel.read(name).decode())
    assert said["Author"] == "The maintainers of provision"
    assert said["License-Expression"] == "Apache-2.0"
    assert "Programming Language :: Python :: 3.14" in said.get_all("Classifier", [])
    text = said.get_payload()
    assert text == (ROOT / "README.md").read_text()
    # An index page and the wheel have no folders beside the text.
    assert [path for path, _ in _LINK.findall(str(text)) if path and not path.startswith("https://")] == []


def test_list_names_every_page_that_is_there(provision: Provision) -> None:
    ran = provision("docs")
    told = [line.split()[0] for line in ran.out.partition("\n\n")[0].splitlines()]
    assert told == list(pages.listed())
    assert [name for name in told if not (DOCS / f"{name}.md").is_file()] == []
    assert ran.out.endswith("\nshow one: provision docs PAGE\n")


@pytest.mark.parametrize("name", ["exit-codes", "exit-codes.md", "docs/exit-codes.md", "Exit-Codes"])
def test_page_is_printed_as_it_is_where_there_is_no_terminal(provision: Provision, name: str) -> None:
    assert provision("docs", name) == (0, (DOCS / "exit-codes.md").read_text(), "")


def test_page_at_a_terminal_is_set_and_paged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged by $LESS\ncat\n")
    pager.chmod(0o755)
    monkeypatch.setenv("PAGER", str(pager))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    render.shown(pages.text("exit-codes"), terminal=True)
    shown = capfd.readouterr().out
    assert shown.startswith("paged by -FRX\n")
    assert "| code |" not in shown
    monkeypatch.setenv("PAGER", "/nowhere/less")
    render.shown(pages.text("exit-codes"), terminal=True)
    assert "refused before anything ran" in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(("name", "fix"), [("eror", "did you mean 'errors'?"), ("../x", "known: getting-started, ")])
def test_unknown_page_is_refused(provision: Provision, name: str, fix: str) -> None:
    ran = provision("docs", name)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error[no-such-page]: ")
    assert f"  fix    {fix}" in ran.err


def test_no_message_points_to_a_folder_that_a_wheel_has_not() -> None:
    """Comments and docstrings may: who reads those has the repository."""
    found = []
    for path in (ROOT / "provision").rglob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"""["'`(; ]docs/[\w-]+\.md""", line) and not re.match(r'\s*(#|"""|in which|One suite)', line):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert [each for each in found if not each.startswith(("audit.py", "checks.py:64"))] == []


def parsed(command: str) -> None:
    """Reads a command line to its end; it raises what is wrong with it."""
    words = shlex.split(command, comments=True)[1:]
    found, root = cli, cli.make_context("provision", [], resilient_parsing=True)
    if words[0].startswith("-"):
        return
    while isinstance(found, TyperGroup):
        _, found, words = found.resolve_command(root, words)
    assert found is not None, command
    try:
        assert found.make_context(command, words).args == []
    except UsageError as error:
        # In a sentence, a command may be named without what it is given.
        if type(error).__name__ not in ("MissingParameter", "Exit"):
            raise AssertionError(f"{command}: {error}") from None


@pytest.mark.parametrize(
    "name", ["branches", "ci", "coming-from", "deploying", "faq", "second-database", "getting-started", "upgrade"]
)
def test_every_command_of_a_page_is_a_right_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = pages.text(name)
    inline = re.findall(r"`(provision [^`]+)`", text)
    blocks = re.findall(r"^(?:\s*- run: )?(provision .+)$", text, re.MULTILINE)
    for command in (*inline, *blocks):
        if command != "provision COMMAND" and "PAGE" not in command and not command.startswith("provision upgrade"):
            parsed(command.split(" > ")[0])


def test_examples_of_deployments_are_whole() -> None:
    text = pages.text("deploying")
    [job] = (yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    [container] = job["spec"]["template"]["spec"]["containers"]
    for words in (container["args"], *map(json.loads, re.findall(r"`args: (\[.*?\])`", text))):
        parsed(shlex.join(["provision", *words]))
    image = re.search(r"```dockerfile\n(.*?)```", text, re.DOTALL)
    assert image is not None
    assert 'ENTRYPOINT ["provision"]\nCMD ["up"]\n' in image[1]


@pytest.mark.parametrize("word", ELSEWHERE)
def test_command_of_another_tool_names_ours(provision: Provision, word: str) -> None:
    ran = provision(word)
    assert (ran.code, ran.out) == (2, "")
    [ours] = re.findall(r"here it is `(provision [^`]+)`; all of them: `provision docs coming-from`", ran.err)
    if "--help" not in ours:
        found, words = cli, ours.split()[1:]
        root = cli.make_context("provision", [], resilient_parsing=True)
        while isinstance(found, TyperGroup):
            _, found, words = found.resolve_command(root, words)
        assert found is not None


def test_table_of_commands_names_what_is_told_too() -> None:
    table = pages.text("coming-from").split("| --- |")[1]
    for theirs in ("upgrade", "migrate", "rollback", "info", "stamp", "current", "undo", "repair"):
        assert f"`{theirs}" in pages.text("coming-from"), theirs
    assert table
