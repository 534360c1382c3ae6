"""What is wrong with a command line, in one wording whichever click read it. Imported for mistakes alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from provision.cli.group import Group
from provision.errors import ProvisionError

# The words of the click inside typer → those of the installed one, which typer used before 0.26.
_WORDS = (
    (re.compile(r"[.?]? [('\"]*(?:Did you mean|Possible options).*", re.DOTALL), ""),  # a guess of its own
    (re.compile(r"^No such option: (.+?)\.?$", re.DOTALL), r"No such option '\1'"),
    (re.compile(r"is not a valid int\b"), "is not a valid integer"),
    (re.compile(r"extra argument\(s\) (?=\(\S+\)\.?$)"), "extra argument "),
    (re.compile(r"extra argument\(s\)"), "extra arguments"),
)


# What Alembic, Flyway, Liquibase, dbmate, goose and clickhouse-migrations call it → what we do.
ELSEWHERE = {
    "upgrade": "up",
    "migrate": "up",
    "update": "up",
    "up-to": "up",
    "up-by-one": "up --steps 1",
    "deploy": "up",
    "downgrade": "down --steps 1",
    "rollback": "down --steps 1",
    "undo": "down --steps 1",
    "down-to": "down",
    "redo": "down --steps 1",
    "info": "status",
    "current": "status",
    "version": "status",
    "pending": "status --check",
    "heads": "graph",
    "branches": "graph",
    "dry-run": "plan --sql",
    "update-sql": "plan --sql",
    "diff": "plan --sql",
    "log": "history",
    "stamp": "baseline",
    "changelog-sync": "baseline --all",
    "repair": "resolve",
    "fix": "resolve",
    "clear-checksums": "resolve",
    "release-locks": "lock release",
    "unlock": "lock release",
    "list-locks": "lock show",
    "revision": "new",
    "create": "new",
    "generate": "new",
    "check": "doctor",
    "help": "--help",
}


def usage(error: Any, arguments: Sequence[str] = ()) -> ProvisionError:
    """The error of a wrong command line (code `usage`), with the nearest right one."""
    context = error.ctx
    path = context.command_path if context is not None else "provision"
    what = error.format_message()
    for pattern, words in _WORDS:
        what = pattern.sub(words, what)
    what = what.rstrip(".")
    fix = _meant(what, context, path)
    if "extra argument" in what and any(each.endswith(",") for each in arguments):
        fix = f"no spaces in a list: {re.sub(r', +', ',', ' '.join(arguments))}"
    return ProvisionError("usage", what[:1].lower() + what[1:], where=path, fix=fix)


def _meant(what: str, context: Any, path: str) -> str:
    """The nearest command or option, or where all of them are listed."""
    named = re.match(r"No such (command|option) '([\w-]+)", what)
    if named and named[1] == "command" and path == "provision" and named[2] in ELSEWHERE:
        return f"here it is `provision {ELSEWHERE[named[2]]}`; all of them: `provision docs coming-from`"
    known: list[str] = []
    if named and context is not None and named[1] == "option":
        known = [name for each in context.command.get_params(context) for name in each.opts if name.startswith("--")]
    elif named and context is not None and isinstance(context.command, Group):
        known = context.command.list_commands(context)
    close = get_close_matches(named[2], known, 1) if named else []
    return f"did you mean {close[0]!r}?" if close else f"{path} --help"
