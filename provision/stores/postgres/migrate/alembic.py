"""Every use of Alembic, private names included, so that a new version of it is checked in one place.

Works with Alembic 1.16 to 1.20; `tests/unit/stores/postgres/test_engine.py` names what is relied on.
"""

from __future__ import annotations

import logging
import logging.config
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from io import StringIO
from pathlib import Path
from traceback import extract_tb
from typing import Any, TextIO

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError, to_tuple

from provision.errors import ConfigError
from provision.model import Direction, StoreOptions
from provision.stores.postgres.migrate.bytecode import forget_stale
from provision.stores.postgres.migrate.env_setup import set_up
from provision.stores.postgres.migrate.header import LIMITS, Header
from provision.stores.postgres.migrate.ini import PYPROJECT, ini
from provision.stores.postgres.migrate.locations import set_by_env
from provision.text.files import names_inside
from provision.text.quiet import quiet
from provision.text.raised import raised

_LOADING = threading.RLock()  # what the ini puts before sys.path is told by its length
Steps = Callable[[Any, MigrationContext], Iterable[MigrationStep]]


def config(options: StoreOptions, url: str | None = None) -> Config:
    """The project's ini with only `script_location` and the url replaced."""
    place, toml = ini(options), options.root / PYPROJECT
    made = Config(str(place) if place else None, toml_file=str(toml) if toml.is_file() else None)
    made.set_main_option("script_location", _doubled(str(options.path)))
    if url is not None:
        named = re.match(r"postgres(?:ql)?(\+\w+)?://", made.get_main_option("sqlalchemy.url") or "")
        driver = (named[1] if named else None) or "+psycopg"
        made.set_main_option("sqlalchemy.url", _doubled(re.sub(r"^\w+(?:\+\w+)?://", f"postgresql{driver}://", url)))
    return made


def scripts(options: StoreOptions) -> ScriptDirectory:
    """The script folder as Alembic reads it: every revision file is imported. Raises ConfigError (alembic-refused)."""
    try:
        with quiet(), _LOADING:
            directory = _directory(options)
            directory.get_heads()
    except CommandError as error:
        raise _refused(error, options) from None
    except ConfigError:
        raise
    except Exception as error:  # a revision file may raise anything when it is imported
        raise ConfigError(
            "alembic-refused",
            f"a revision file cannot be imported: {raised(error)}",
            where=raised_in(error, options),
            fix="install it, or correct the line" if isinstance(error, ModuleNotFoundError) else "correct the line",
        ) from None
    return directory


def _directory(options: StoreOptions) -> ScriptDirectory:
    """The script folder with the places that the ini names, which do not depend on the working directory.

    A relative one is meant from where people run `alembic`: the folder of provision.toml, or that of the ini.
    """
    before = list(sys.path)
    directory = ScriptDirectory.from_config(config(options))
    added = sys.path[: len(sys.path) - len(before)]
    sys.path[:] = dict.fromkeys([*(str(each) for name in added for each in _places(name, options)), *before])
    forget_stale(options.path, ["env.py"])
    if set_by_env(options):
        _locate(options, directory)
    directory.version_locations = [_anchored(name, options) for name in directory.version_locations]
    for folder in _folders(directory):
        forget_stale(folder, names_inside(folder, "*.py", options.root))  # Alembic would open what is no file
    return directory


def _folders(directory: ScriptDirectory) -> Iterator[Path]:
    """Where Alembic looks for revisions."""
    for each in map(Path, directory.version_locations or [str(Path(directory.dir) / "versions")]):
        yield each
        if directory.recursive_version_locations:
            yield from (path for path in sorted(each.rglob("*")) if path.is_dir())


def _anchored(name: str | Path, options: StoreOptions) -> str:
    """The first place where the folder of that name is; the name itself where it is nowhere."""
    return str(next((each for each in _places(str(name), options) if each.exists()), name))


def _locate(options: StoreOptions, directory: ScriptDirectory) -> None:
    """Let env.py set the directory's `version_locations`, offline, as it does before each run of Alembic.

    Raises ConfigError (env-failed) when it fails before it has set them.
    """
    before = directory.version_locations
    try:
        run(options, directory, "postgresql://", lambda *_: (), lambda *_: {"output_buffer": StringIO()}, as_sql=True)
    except (Exception, SystemExit) as error:  # env.py is code: without a database it may raise anything
        if directory.version_locations is not before:
            return
        raise ConfigError(
            "env-failed",
            f"env.py sets version_locations, and cannot be run offline: {raised(error)}",
            where=raised_in(error, options),
            fix="name the folders in the ini (version_locations), or let `alembic upgrade head --sql` work",
        ) from None


def read(options: StoreOptions) -> list[tuple[str, str, Header]]:
    """Number, path and header of every revision, in an order in which they can run. Imports every file.

    Raises ConfigError (alembic-refused, env-failed, nothing-read).
    """
    found, directory = [], scripts(options)
    for script in reversed(list(directory.walk_revisions())):
        header: Header = {
            "doc": script.doc,
            "down_revision": script.down_revision,
            "depends_on": dependencies(script),
            "branch_labels": tuple(sorted(script.branch_labels)),
            "requires": getattr(script.module, "requires", ()),
            "destructive": getattr(script.module, "destructive", False),
            **{name: getattr(script.module, name, None) for name in LIMITS},
        }
        found.append((script.revision, str(script.path), header))
    absent = [each for each in directory._version_locations if not each.exists()]
    if not found and directory.version_locations and absent:
        raise _absent(absent, options)
    return found


def _places(name: str, options: StoreOptions) -> list[Path]:
    """Where a path of the ini may be; that of a package's resource (`package:folder`) is left as it is."""
    if Path(name).is_absolute() or ":" in name:
        return [Path(name)]
    file = ini(options)
    folders = [options.root, *([file.parent] if file is not None else [])]
    return [Path(os.path.abspath(folder / name)) for folder in folders]


def dependencies(script: Script) -> tuple[str, ...]:
    """What `depends_on` names, as full ids."""
    return tuple(sorted(script._resolved_dependencies))


def step(directory: ScriptDirectory, number: str, direction: Direction) -> MigrationStep:
    """One revision in one direction, as `MigrationContext.run_migrations` takes it."""
    script: Script | None = directory.get_revision(number)
    assert script is not None
    if direction is Direction.UP:
        return MigrationStep.upgrade_from_script(directory.revision_map, script)
    return MigrationStep.downgrade_from_script(directory.revision_map, script)


def run(
    options: StoreOptions,
    directory: ScriptDirectory,
    url: str,
    steps: Steps,
    configured: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]],
    **settings: Any,
) -> None:
    """Execute env.py once; Alembic pulls from `steps`.

    `configured` sees the connection and the options that env.py chose, before Alembic does, and returns options to set
    or, for `on_version_apply`, to chain. Raises whatever env.py or a revision raises.
    """
    made = config(options, url)
    environment = EnvironmentContext(made, directory, fn=steps, **settings)
    configure = environment.configure
    with _own_logging() as restore_logging, quiet():

        def wrapped(*arguments: Any, **given: Any) -> None:
            restore_logging()
            extra = dict(configured(given.get("connection", arguments[0] if arguments else None), given))
            callbacks = (*to_tuple(given.get("on_version_apply"), default=()), *extra.pop("on_version_apply", ()))
            configure(*arguments, **{**given, **extra, "on_version_apply": callbacks})

        # On the instance: a subclass would not be what `alembic.context` stands for, and constructor options lose.
        environment.configure = wrapped  # type: ignore[method-assign]
        with set_up(options, made), environment:
            directory.run_env()


def count_runs(options: StoreOptions, directory: ScriptDirectory, url: str) -> int:
    """How often env.py runs the migrations, seen by letting it run none, as `alembic current` does.

    Raises whatever env.py raises.
    """
    seen: list[None] = []

    def none(*_: Any) -> tuple[()]:
        seen.append(None)
        return ()

    run(options, directory, url, none, lambda *_: {}, dont_mutate=True)
    return len(seen)


def render(
    options: StoreOptions, directory: ScriptDirectory, steps: Steps, buffer: TextIO, start: Sequence[str]
) -> None:
    """Execute env.py offline, as if the database were at the heads `start`; the SQL of each step goes to `buffer`.

    Raises whatever a revision raises there.
    """
    run(
        options,
        directory,
        "postgresql://",
        steps,
        lambda *_: {"output_buffer": buffer, "transaction_per_migration": True},
        as_sql=True,
        starting_rev=tuple(start) or None,
    )


def _absent(folders: Sequence[Path], options: StoreOptions) -> ConfigError:
    """Alembic takes a folder that is not there for an empty one."""
    named = ", ".join(options.shown(each) for each in folders)
    return ConfigError(
        "nothing-read",
        f"no revision of {options.name} was found, and version_locations names what is not there: {named}",
        where=options.shown(ini(options) or options.path / "env.py"),
        fix="correct the path, or make the folder",
    )


def _refused(error: CommandError, options: StoreOptions) -> ConfigError:
    return ConfigError(
        "alembic-refused", f"alembic: {error}", where=options.shown(options.path), fix="correct the revision files"
    )


def raised_in(error: BaseException, options: StoreOptions) -> str:
    """The line of a revision file that the error comes from; the script folder where that cannot be told."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(options.path):
        return f"{options.shown(Path(error.filename))}:{error.lineno}"
    frames = [each for each in extract_tb(error.__traceback__) if Path(each.filename).is_relative_to(options.path)]
    if not frames:
        return options.shown(options.path)
    return f"{options.shown(Path(frames[-1].filename))}:{frames[-1].lineno}"


def traceback_of(options: StoreOptions) -> str:
    """How bare Alembic shows what env.py raised, from the project's folder; empty where there is no ini for it."""
    file = ini(options)
    if file is None:
        return ""
    named = "" if file == options.root / "alembic.ini" else f"-c {options.shown(file)} "
    return f"; `alembic {named}--raiseerr current` shows the whole traceback"


def _doubled(text: str) -> str:
    return text.replace("%", "%%")


def _elsewhere(configure: Callable[..., None]) -> Callable[..., None]:
    """The function for every thread but this one, which it does nothing for."""
    this = threading.get_ident()

    @wraps(configure)
    def configured(*arguments: Any, **named: Any) -> None:
        if threading.get_ident() != this:
            configure(*arguments, **named)

    return configured


@contextmanager
def _own_logging() -> Iterator[Callable[[], None]]:
    """Keep logging as it is: env.py's `fileConfig` would replace the root handlers and disable every logger.

    Yields what undoes whatever else env.py did to it.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    loggers = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    kept = [(each, each.disabled, each.level, each.propagate, list(each.handlers)) for each in loggers]

    def restore() -> None:
        root.handlers[:], root.level = handlers, level
        for each, disabled, own, propagate, theirs in kept:
            each.disabled, each.propagate, each.handlers[:] = disabled, propagate, theirs
            each.setLevel(own)

    # env.py imports them when it runs, so that it gets these.
    configure = {name: getattr(logging.config, name) for name in ("fileConfig", "dictConfig")}
    for name, own in configure.items():
        setattr(logging.config, name, _elsewhere(own))
    try:
        yield restore
    finally:
        for name, own in configure.items():
            setattr(logging.config, name, own)
        restore()
