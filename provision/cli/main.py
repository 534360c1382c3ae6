"""The command line: finds the command, runs it, and turns what goes wrong into one printed error and an exit code."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from provision.cli import streams
from provision.errors import EXIT_CONFIG, EXIT_FAILED, FailedError, ProvisionError, unexpected

# command → (module, what --help says of it). Modules are imported when their command runs, drivers later still.
COMMANDS = {
    "up": ("move", "Apply what is pending, in all stores, in one order."),
    "down": ("move", "Revert revisions, newest first."),
    "status": ("show", "Show what is applied and what is pending."),
    "plan": ("show", "Show what `up` would do; save it with --out."),
    "history": ("show", "Show what was done, when and by whom."),
    "graph": ("show", "Draw the revisions and what they require."),
    "new": ("start", "Write the next migration file of a store."),
    "init": ("start", "Start a project in this folder."),
    "import": ("start", "Write documents of what is on a live server."),
    "schema": ("start", "Print the JSON Schema of a kind's documents."),
    "baseline": ("settle", "Mark revisions as applied without running them."),
    "resolve": ("settle", "Settle a revision whose fate is open."),
    "lock": ("settle", "Show or release the run lock."),
    "backfill": ("backfill", "Fill what is already there, in batches, beside live traffic."),
    "validate": ("validate", "Check the data against the suites in checks/."),
    "validate-probability-data": ("validate", "Check the probability data."),
    "local": ("local", "Start, stop, show or reset the embedded engines."),
    "doctor": ("doctor", "Check the set-up, the servers and the ledgers."),
}


# Newer versions of click raise this where older ones print the help themselves.
_NO_ARGUMENTS: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class Commands(click.Group):
    """Loads a command's module only when that command is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # Python keeps the word `import` for itself.
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"provision.cli.{COMMANDS[cmd_name][0]}"), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: provision up --env local",
)
@click.version_option(None, "--version", package_name="provision-toolkit", message="provision %(version)s")
def cli() -> None:
    """Move PostgreSQL, ClickHouse and Redis together: versioned migrations in one order."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    out = streams.prepare()
    sys.exit(streams.finish(out, run(arguments)))


def validate_probability_data() -> None:
    """The script of that name: `provision validate-probability-data`."""
    main(["validate-probability-data", *sys.argv[1:]])


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code of design: 0 done, 1 findings, 2 usage, 3 refused, 4, 5, 6."""
    from provision.cli.render.problems import print_error

    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        result: Any = cli.main(arguments, prog_name="provision", standalone_mode=False)
    except _NO_ARGUMENTS as error:
        print(error.format_message(), file=sys.stderr)
        return EXIT_CONFIG
    except click.ClickException as error:
        print_error(_usage(error), arguments)
        return EXIT_CONFIG
    except (click.Abort, KeyboardInterrupt):
        print_error(_stopped(), arguments)
        return EXIT_FAILED
    except ProvisionError as error:
        return _ended(error, arguments)
    except Exception as error:  # the last line: nothing may end a command with a traceback
        return _ended(unexpected(error, str), arguments)
    return result if isinstance(result, int) else 0


def _ended(error: ProvisionError, arguments: list[str]) -> int:
    from provision.cli.render.problems import print_error
    from provision.wiring.machine import blamed  # for mistakes alone

    error = blamed(error)
    print_error(error, arguments)
    return error.exit_code


def _stopped() -> ProvisionError:
    return FailedError("interrupted", "stopped before anything was done", fix="run the same command again")


def _usage(error: click.ClickException) -> ProvisionError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "provision"
    # Some versions of click add a guess of their own to some of these.
    what = re.split(r"[.?]? \(?Did you mean", error.format_message())[0].rstrip(".")
    return ProvisionError("usage", what[:1].lower() + what[1:], where=path, fix=_meant(what, context, path))


def _meant(what: str, context: click.Context | None, path: str) -> str:
    """The nearest command or option, or where all of them are listed."""
    from difflib import get_close_matches  # for mistakes alone

    named = re.match(r"No such (command|option):? '?([\w-]+)", what)
    known: list[str] = []
    if named and context is not None and named[1] == "option":
        known = [name for each in context.command.get_params(context) for name in each.opts if name.startswith("--")]
    elif named and context is not None and isinstance(context.command, click.Group):
        known = context.command.list_commands(context)
    close = get_close_matches(named[2], known, 1) if named else []
    return f"did you mean {close[0]!r}?" if close else f"{path} --help"


if __name__ == "__main__":
    main()
