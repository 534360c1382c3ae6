"""Prints an error once: as text, as JSON, or as annotations."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from provision.cli.render.paper import Paper, print_document, print_form
from provision.errors import ProvisionError, Several, parts
from provision.text.visible import visible_lines

# Compiled when something is wrong: every command imports this.
_FILE = r"(?P<file>[^:;,\n]+\.(?:py|sql|yaml))(?::(?P<line>\d+)(?::(?P<col>\d+))?)?(?=[:;,]|$)"

# Commands in a fix that ask for an environment and do not name one.
_MOVES = (
    r"(?<=`)provision (?:up|down|status|plan(?! show)|history|baseline|resolve|lock|backfill|validate|doctor|import"
    r"|partitions|ledger|lint|drift|stats|maintain|tune|rebase)\b"
    r"(?![^`]*(?:--env|-e )\b)[^`]*(?=`)"
)


def print_error(error: ProvisionError, arguments: Sequence[str] = ()) -> None:
    """Print to where the command's output goes: JSON on stdout, text on stderr."""
    form = _option(arguments, "--output", "-o") or "text"
    name_environment(error, _option(arguments, "--env", "-e"))
    if form == "json":
        print_document({**as_json(error), "exit": error.exit_code})
        return
    for each in parts(error):
        if form == "github":
            print_form(annotation(each))
        else:
            Paper(sys.stderr).write_lines(lines(each), style="error")


def lines(error: ProvisionError) -> list[str]:
    """The three lines of an error."""
    told = [f"error[{error.code}]: {error.what}"]
    return told + [f"  {name:<6} {value}" for name, value in (("where", error.where), ("fix", error.fix)) if value]


def as_dict(error: ProvisionError) -> dict[str, str]:
    return {"code": error.code, "what": error.what, "where": error.where, "fix": error.fix}


def as_json(error: ProvisionError) -> dict[str, object]:
    """`error` is the one that decided the exit code; with several, `errors` lists all."""
    found: dict[str, object] = {"error": as_dict(error)}
    if isinstance(error, Several):
        found["errors"] = [as_dict(each) for each in error.errors]
    return found


def annotation(error: ProvisionError, level: str = "error") -> str:
    """A GitHub annotation; the file is named when the place is one."""
    named = re.match(_FILE, error.where)
    places = {name: value for name, value in named.groupdict().items() if value} if named else {}
    message = "\n".join(part for part in (error.what, error.where, error.fix) if part)
    return command(level, message, **places, title=error.code)


def command(level: str, message: str, **properties: str) -> str:
    """A workflow command of GitHub, `::error file=a.sql,title=x::message`, which nothing in its parts can end."""
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {named}::{_escaped(message)}"


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    """As GitHub's workflow commands want it."""
    return visible_lines(text).replace("%", "%25").replace("\n", "%0A")


def name_environment(error: ProvisionError, env: str) -> None:
    """Let the commands of a fix name the environment that the failed command named, so that they can be taken as is."""
    if re.fullmatch(r"[\w.-]+", env):
        for each in parts(error):
            each.fix = re.sub(_MOVES, lambda found: f"{found[0]} --env {env}", each.fix)


def _option(arguments: Sequence[str], long: str, short: str) -> str:
    """The value of an option, found even when the arguments themselves are what is wrong; empty without it."""
    for place, word in enumerate(arguments):
        if word in (long, short) and place + 1 < len(arguments):
            return arguments[place + 1]
        if word.startswith(f"{long}="):
            return word.split("=", 1)[1]
        if word.startswith(short) and not word.startswith("--") and len(word) > len(short):
            return word[len(short) :]
    return ""
