"""A wrong command line is told in the same three lines, in the form that was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.command_line import Provision
from tests.cli.projects import NOWHERE, document, hidden, refused, script, untouched


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (("statsu",), "FILL"),
        (("migrate",), "FILL"),
        (("up", "--dryrun"), "FILL"),
        (("up", "--env"), "FILL"),
        (("up", "--steps", "0"), "FILL"),
        (("up", "--steps", "many"), "FILL"),
        (("up", "--wait", "soon"), "FILL"),
        (("up", "-e", "test", "--output", "xml"), "FILL"),
        (("status", "extra"), "FILL"),
        (("new",), "FILL"),
        (("local", "strat"), "FILL"),
        (("plan", "--offline", "--out", "plan.json"), "FILL"),
        (("down", "-e", "test", "--out-of-order"), "FILL"),
    ],
)
def test_wrong_command_line(files: Path, provision: Provision, words: tuple[str, ...], err: str) -> None:
    with untouched(files):
        ran = provision(*words)
    refused(ran, 2, err)


@pytest.mark.parametrize(
    "form", [("--output", "json"), ("--output=json",), ("-o", "json"), ("-ojson",)], ids=" ".join
)
def test_json_is_one_document_on_stdout(files: Path, provision: Provision, form: tuple[str, ...]) -> None:
    with untouched(files):
        ran = provision("up", "--env", "tset", *form)
    assert json.loads(hidden(ran.out)) == {
        "error": {
            "code": "unknown-environment",
            "what": "no environment is called 'tset'",
            "where": "PROJECT/provision.toml",
            "fix": "did you mean 'test'?",
        },
        "exit": 2,
    }
    assert (ran.code, ran.err) == (2, "")


def test_json_lists_every_error(files: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_POSTGRES", NOWHERE["SMALL_POSTGRES"])
    with untouched(files):
        ran = provision("up", "--env", "test", "--output", "json")
    found = json.loads(ran.out)
    assert found["error"] == found["errors"][0]
    assert [(each["code"], each["what"]) for each in found["errors"]] == [
        ("unset-variable", "SMALL_CLICKHOUSE is not set"),
        ("unset-variable", "SMALL_REDIS is not set"),
    ]
    assert (found["exit"], ran.code, ran.err) == (2, 2, "")


def test_json_for_a_wrong_command_line(files: Path, provision: Provision) -> None:
    with untouched(files):
        ran = provision("up", "-o", "json", "--dryrun")
    assert json.loads(ran.out) == {
        "error": {
            "code": "usage",
            "what": "no such option '--dryrun'",
            "where": "provision up",
            "fix": "did you mean '--dry-run'?",
        },
        "exit": 2,
    }
    assert (ran.code, ran.err) == (2, "")


def test_github_prints_one_annotation_an_error(
    files: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is named relative to the checkout, with its line, so that the annotation lands in the review."""
    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url)
    document(files, "0003_more", "descripton: 100%\nup: []\ndown: auto\n")
    script(files, "003_more", "")
    with untouched(files):
        ran = provision("up", "--env", "test", "--output", "github")
    refused(ran, 2, "", "FILL")


def test_no_command_prints_the_help(files: Path, provision: Provision) -> None:
    ran = provision()
    assert ran.code == 2
    assert "Usage: provision [OPTIONS] COMMAND" in ran.err
