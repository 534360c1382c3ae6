"""What an error prints as its fix, taken as a user takes it: the commands to type, the text to write."""

from __future__ import annotations

import re
import shlex

from tests.servers.command_line import Ran


def failed(code: str, ran: Ran) -> Ran:
    """The command ended with this error, and with no other."""
    assert ran.err.startswith(f"error[{code}]: "), ran.out + ran.err
    assert ran.err.count("error[") == 1, ran.err
    return ran


def fix_of(ran: Ran) -> str:
    """The line that says what to do."""
    [fix] = [line for line in ran.err.splitlines() if line.startswith("  fix ")]
    return fix.removeprefix("  fix ").strip()


def commands(ran: Ran) -> list[list[str]]:
    """The commands of the fix, without `provision`, as a shell would read them."""
    return [shlex.split(each) for each in re.findall(r"`provision ([^`]*)`", fix_of(ran))]
