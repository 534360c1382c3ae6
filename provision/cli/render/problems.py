"""Prints an error once: as text, as JSON, or as annotations."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

from provision.cli.render.paper import Paper
from provision.errors import ProvisionError, Several

# Compiled when something is wrong: every command imports this.
_FILE = r"(?P<file>[^:;,\n]+\.(?:py|sql|yaml))(?::(?P<line>\d+)(?::(?P<col>\d+))?)?(?=[:;,]|$)"

# Commands in a fix that ask for an environment and do not name one.
_MOVES = (
    r"(?<=`)provision (?:up|down|status|plan|history|baseline|resolve|lock|backfill|validate|doctor|import)\b"
    r"(?![^`]*(?:--env|-e )\b)[^`]*(?=`)"
)


def print_error(error: ProvisionError, arguments: Sequence[str] = ()) -> None:
    """Print to where the command's output goes: JSON on stdout, text on stderr."""
    form = _option(arguments, "--output", "-o") or "text"
    name_environment(error, _option(arguments, "--env", "-e"))
    if form == "json":
        print(json.dumps({**as_json(error), "exit": error.exit_code}, ensure_ascii=False, indent=2))
        return
    for each in parts(error):
        if form == "github":
            print(annotation(each))
        else:
            Paper(sys.stderr).write(text(each), style="error")


def parts(error: ProvisionError) -> tuple[ProvisionError, ...]:
    return error.errors if isinstance(error, Several) else (error,)


def text(error: ProvisionError) -> str:
    """The three lines of an error."""
    lines = [f"error[{error.code}]: {error.what}"]
    lines += [f"  {name:<6} {value}" for name, value in (("where", error.where), ("fix", error.fix)) if value]
    return "\n".join(lines)


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
    places = [f"{name}={_escaped(value)}," for name, value in named.groupdict().items() if value] if named else []
    message = "\n".join(part for part in (error.what, error.where, error.fix) if part)
    return f"::{level} {''.join(places)}title={error.code}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """As GitHub's workflow commands want it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


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
