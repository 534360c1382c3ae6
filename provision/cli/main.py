"""The command line: finds the command, runs it, and turns what goes wrong into one printed error and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated, Any

import typer

from provision import outlet
from provision.cli import group, streams
from provision.errors import EXIT_CONFIG, EXIT_FAILED, FailedError, ProvisionError, unexpected

# Of both clicks that typer may stand on, this is what every wrong command line is; typer exports only what is below it.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]
COMPLETION = "_PROVISION_COMPLETE"
# Objects between two looks for garbage: while modules load there is none to find, and Python looks at each 700.
_BETWEEN_COLLECTIONS = 200_000

app = group.app(
    cls=group.Commands,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=group.example(
        "provision init shop --stores postgres,redis", "provision up --env local", "provision up --help"
    ),
)


def _print_version(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version  # for this alone

        typer.echo(f"provision {version('provision-toolkit')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Versioned migrations for PostgreSQL, ClickHouse, InfluxDB, Weaviate, ArangoDB and Redis, in one order."""


cli = typer.main.get_command(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    out = streams.prepare()
    _turn_instruction()
    code = streams.finish(out, run(arguments))
    # What is left goes with the process: to look through all of it for garbage takes a tenth of a short run.
    gc.freeze()
    sys.exit(code)


def validate_probability_data() -> None:
    """The script of that name: `provision validate-probability-data`."""
    main(["validate-probability-data", *sys.argv[1:]])


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code of design: 0 done, 1 findings, 2 usage, 3 refused, 4, 5, 6."""
    from provision.cli.render.problems import print_error

    arguments = sys.argv[1:] if arguments is None else arguments
    outlet.waits.say = _waits
    try:
        result: Any = cli.main(arguments, prog_name="provision", standalone_mode=False)
    except UsageError as error:
        from provision.cli.usage import usage

        print_error(usage(error, arguments), arguments)
        return EXIT_CONFIG
    except (typer.Abort, KeyboardInterrupt):
        print_error(_stopped(), arguments)
        return EXIT_FAILED
    except ProvisionError as error:
        return _ended(error, arguments)
    except Exception as error:  # the last line: nothing may end a command with a traceback
        return _ended(unexpected(error, str), arguments)
    return result if isinstance(result, int) else 0


def _waits(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def _turn_instruction() -> None:
    """Start-up files of earlier versions ask for the script of a shell as `bash_source`, typer as `source_bash`."""
    shell, _, what = os.environ.get(COMPLETION, "").partition("_")
    if what == "source":
        os.environ[COMPLETION] = f"source_{shell}"


def _ended(error: ProvisionError, arguments: list[str]) -> int:
    from provision.cli.render.problems import print_error
    from provision.wiring.machine import blamed  # for mistakes alone

    error = blamed(error)
    print_error(error, arguments)
    return error.exit_code


def _stopped() -> ProvisionError:
    return FailedError("interrupted", "stopped before anything was done", fix="run the same command again")


if __name__ == "__main__":
    main()
