"""A wrong command line is told in the same three lines, in the form that was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.projects import NOWHERE, document, hidden, refused, script, untouched
from tests.servers.command_line import Provision


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (
            ("statuus",),
            """\
error[usage]: no such command 'statuus'
  where  provision
  fix    did you mean 'status'?
""",
        ),
        (
            ("migrate",),
            """\
error[usage]: no such command 'migrate'
  where  provision
  fix    here it is `provision up`; all of them: `provision docs coming-from`
""",
        ),
        (
            ("up", "--dryrun"),
            """\
error[usage]: no such option '--dryrun'
  where  provision up
  fix    did you mean '--dry-run'?
""",
        ),
        (
            ("up", "--env"),
            """\
error[usage]: option '--env' requires an argument
  where  provision
  fix    provision --help
""",
        ),
        (
            ("up", "--steps", "0"),
            """\
error[usage]: invalid value for '--steps': 0 is not in the range x>=1
  where  provision up
  fix    provision up --help
""",
        ),
        (
            ("up", "--steps", "many"),
            """\
error[usage]: invalid value for '--steps': 'many' is not a valid integer range
  where  provision up
  fix    provision up --help
""",
        ),
        (
            ("up", "--wait", "soon"),
            """\
error[bad-duration]: 'soon' is not a duration
  where  --wait
  fix    write it like 500ms, 30s, 10m or 2h
""",
        ),
        (
            ("up", "-e", "test", "--output", "xml"),
            """\
error[usage]: invalid value for '--output' / '-o': 'xml' is not one of 'text', 'json', 'github'
  where  provision up
  fix    provision up --help
""",
        ),
        (
            ("status", "extra"),
            """\
error[usage]: got unexpected extra argument (extra)
  where  provision status
  fix    provision status --help
""",
        ),
        (
            ("status", "one", "two"),
            """\
error[usage]: got unexpected extra arguments (one two)
  where  provision status
  fix    provision status --help
""",
        ),
        (
            ("up", "-x"),
            """\
error[usage]: no such option '-x'
  where  provision up
  fix    provision up --help
""",
        ),
        (
            ("up", "--dry-run=yes"),
            """\
error[usage]: option '--dry-run' does not take a value
  where  provision
  fix    provision --help
""",
        ),
        (
            ("backfill", "run", "levels", "--rate", "inf"),
            """\
error[usage]: invalid value for '--rate': inf is no number of rows a second
  where  provision backfill run
  fix    provision backfill run --help
""",
        ),
        (
            ("backfill", "rn"),
            """\
error[usage]: no such command 'rn'
  where  provision backfill
  fix    did you mean 'run'?
""",
        ),
        (
            ("new",),
            """\
error[usage]: missing argument 'STORE'
  where  provision new
  fix    provision new --help
""",
        ),
        (
            ("local", "strat"),
            """\
error[usage]: no such command 'strat'
  where  provision local
  fix    did you mean 'start'?
""",
        ),
        (
            ("plan", "--offline", "--out", "plan.json"),
            """\
error[usage]: --out saves what was planned for an environment
  where  provision plan
  fix    leave --offline out
""",
        ),
        (
            ("down", "-e", "test", "--out-of-order"),
            """\
error[usage]: no such option '--out-of-order'
  where  provision down
  fix    provision down --help
""",
        ),
    ],
)
def test_wrong_command_line(files: Path, provision: Provision, words: tuple[str, ...], err: str) -> None:
    with untouched(files):
        ran = provision(*words)
    refused(ran, 2, err)


@pytest.mark.parametrize("form", [("--output", "json"), ("--output=json",), ("-o", "json"), ("-ojson",)], ids=" ".join)
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
    document(files, "0003_more", "descripton: 100%\nup: all\ndown: auto\n")
    script(files, "003_more", "")
    with untouched(files):
        ran = provision("up", "--env", "test", "--output", "github")
    assert ran.out.splitlines() == [
        "::error file=clickhouse/003_more.sql,title=empty-migration::003_more.sql is empty"
        "%0Aclickhouse/003_more.sql%0Awrite its SQL or delete it",
        "::error file=redis/0003_more.yaml,line=1,col=1,title=document-invalid::the file has no key descripton"
        "%0Aredis/0003_more.yaml:1:1%0Adid you mean description?",
        "::error file=redis/0003_more.yaml,line=2,col=1,title=document-invalid::up is all"
        "%0Aredis/0003_more.yaml:2:1%0Awrite a list of operations",
    ]
    assert (ran.code, ran.err) == (2, "")


@pytest.mark.usefixtures("files")
def test_no_command_prints_the_help(provision: Provision) -> None:
    ran = provision()
    assert ran.code == 2
    assert "Usage: provision [OPTIONS] COMMAND" in ran.err
