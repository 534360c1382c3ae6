"""Tries revision files before a run: each that is to run is compiled, and all are imported as a run imports them."""

from __future__ import annotations

from collections.abc import Sequence

from provision.errors import ConfigError, ProvisionError
from provision.model import Step, StoreOptions
from provision.stores.postgres.migrate import apart
from provision.text.files import read_text


def tried(options: StoreOptions, steps: Sequence[Step]) -> Sequence[ProvisionError]:
    """What would stop the steps: ConfigError (bad-header, alembic-refused) with file and line.

    The imports are made in a process of their own.
    """
    versioned = [step for step in steps if not step.revision.repeatable]
    wrong = [error for step in versioned if (error := _not_compiled(options, step)) is not None]
    if wrong or not versioned:
        return wrong
    try:
        apart.ask("provision.stores.postgres.migrate.alembic:read", options)
    except ProvisionError as error:
        return [error]
    return []


def _not_compiled(options: StoreOptions, step: Step) -> ConfigError | None:
    path = step.revision.path
    text = read_text(options.root / path, path)
    try:
        compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        what = f"{step.revision.title} is not Python: {getattr(error, 'msg', None) or error}"
        return ConfigError("bad-header", what, where=f"{path}:{line}", fix="correct the line")
    return None
