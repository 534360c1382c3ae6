"""Texts of others that would act on a terminal or a CI log, in every place where such texts are shown."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.cli.projects import document, revision, script
from tests.servers.command_line import Provision

ESC, CSI, TURN = "\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202e"
COMMAND = "::error::owned"
HOSTILE = f"{ESC}{CSI}{TURN}\r{COMMAND}\n{COMMAND}\n##[error]owned"
ACTING = ("\x1b", "\x07", "\x9b", "\u202e", "\r", "\u2028")
NAME = f"x{TURN}{CSI}y"  # of a file
FORMS = ("text", "json", "github")


@pytest.fixture
def hostile(small: Path) -> Path:
    """A description, a file name, a server's message, an error of a revision, a note and a SQL text, each hostile."""
    quoted = HOSTILE.encode("unicode_escape").decode()
    revision(small, "0004", "0003", f'raise LookupError("{quoted}")', head="")
    path = small / "alembic" / "versions" / "0004_written.py"
    path.write_text(path.read_text().replace("Written 0004", quoted))
    script(small, f"003_{NAME}", f"-- description: {ESC}{COMMAND}\n-- {CSI}{TURN}\nSELECT throwIf(1, '{quoted}');\n")
    raw = f'{{commands: [["NOPE", "{_yaml(HOSTILE)}"]], probe: {{command: GET x, equals: y}}, down: [PING]}}'
    document(small, "0003_odd", f'description: "{_yaml(HOSTILE)}"\nup:\n  - redis: {raw}\ndown: auto\n')
    return small


def _yaml(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def harmless(text: str, where: object) -> None:
    """No character acts, and no line is a command but for our own annotations, whose parts hold no line end."""
    assert [char for char in ACTING if char in text] == [], (where, text)
    assert "##[" not in text, (where, text)
    for line in text.split("\n"):
        assert not line.lstrip().startswith(COMMAND), (where, line)
        assert not line.lstrip().startswith("::") or line.startswith(("::error ", "::warning ", "::notice ")), (
            where,
            line,
        )


COMMANDS = (
    ("plan",),
    ("plan", "--sql"),
    ("plan", "--offline", "--sql"),
    ("status", "--all"),
    ("up", "--dry-run"),
    ("up", "clickhouse/003"),
    ("up", "redis/0003"),
    ("up", "--only", "postgres"),
    ("up",),
    ("history",),
    ("status",),
    ("doctor",),
    ("resolve", "clickhouse/003", "--pending", "--reason", HOSTILE),
    ("history",),
    ("graph",),
    ("graph", "--format", "mermaid"),
    ("graph", "--format", "dot"),
    ("lock", "show"),
    ("ledger", "verify"),
    ("up", HOSTILE),
    ("history", HOSTILE),
    (HOSTILE,),
    ("plan", "--only", HOSTILE),
)


@pytest.mark.usefixtures("hostile")
def test_hostile_texts_do_nothing_in_any_output(provision: Provision) -> None:
    shown = ""
    for form in FORMS:
        for words in COMMANDS:
            if form == "github" and words[0] in ("graph", "lock", "history"):
                continue
            if form != "text" and "--format" in words:
                continue
            ran = provision(*words, *(["-o", form] if form != "text" else []))
            assert "unexpected" not in ran.err, (words, ran)
            harmless(ran.out, (words, form))
            harmless(ran.err, (words, form))
            shown += ran.out + ran.err
    assert "\\x1b[2J" in shown
    assert "\\u202e" in shown


def test_hostile_rows_do_nothing_in_any_form_of_a_check(small: Path, provision: Provision) -> None:
    assert provision("up").code == 0
    with psycopg.connect(os.environ["SMALL_POSTGRES"]) as connection:
        connection.execute("insert into accounts (id, name) values (1, %s)", (HOSTILE,))
    (small / "checks").mkdir()
    quoted = _yaml(HOSTILE)
    (small / "checks" / "odd.yaml").write_text(
        f'description: "{quoted}"\nstore: postgres\ntable: accounts\nsample: [id, name]\n'
        f'checks:\n  - name: odd\n    bad: id > 0\n    description: "{quoted}"\n'
        f"  - name: fails\n    bad: cast(name as int) > 0\n"
    )
    reports = [f"report.{each}" for each in ("html", "json", "xml", "md")]
    for form in ("text", "json", "junit", "markdown", "github"):
        ran = provision("validate", "-o", form, *(word for each in reports for word in ("--report", each)))
        assert ran.code == 1, ran
        harmless(ran.out, form)
        harmless(ran.err, form)
        assert "owned" in ran.out
    for each in reports:
        text = (small / each).read_text()
        harmless(text, each)
        assert "owned" in text
    for form in ("text", "json"):
        harmless(provision("validate", "history", "-o", form).out, form)
    assert json.loads((small / "report.json").read_text())["results"][1]["samples"][0]["name"] == HOSTILE


@pytest.mark.usefixtures("hostile")
def test_hostile_texts_do_nothing_at_a_terminal() -> None:
    """Colours are ours there: what is left without them acts on nothing."""
    shown = ""
    for words in (("status", "--all"), ("plan", "--sql"), ("up",), ("history",)):
        told = _at_a_terminal(*words)
        for ours in ("\x1b[2K", "\r\n", "\r"):
            told = told.replace(ours, "\n")
        shown += told
        harmless(re.sub(r"\x1b\[[0-9;]*m", "", told), words)
    assert "\\x1b[2J" in shown


def _at_a_terminal(*words: str) -> str:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "provision.cli.main", *words]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    told = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        told += more
    os.close(ours)
    process.wait(60)
    return told.decode(errors="surrogateescape")
