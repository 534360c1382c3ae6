"""Calls what an application does before it runs Alembic: `env_setup = "module:function"` of provision.toml."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from provision.errors import ConfigError
from provision.model import StoreOptions
from provision.text.raised import raised

if TYPE_CHECKING:
    from alembic.config import Config


@contextmanager
def set_up(options: StoreOptions, config: Config) -> Iterator[None]:
    """Call the function with the Config that env.py will see; what it returns is entered where it is a context manager.

    Raises ConfigError (env-setup-failed).
    """
    named = str(options.extra.get("env_setup", ""))
    if not named:
        yield
        return
    try:
        made = _function(named, options)(config)
        around = made if isinstance(made, AbstractContextManager) else None
        if around is not None:
            around.__enter__()
    except Exception as error:  # it is the application's code
        raise _failed(named, options, raised(error)) from error
    try:
        yield
    except BaseException as error:
        if around is None or not around.__exit__(type(error), error, error.__traceback__):
            raise
    else:
        if around is not None:
            around.__exit__(None, None, None)


def _function(named: str, options: StoreOptions) -> Callable[[Config], Any]:
    module, _, function = named.partition(":")
    if str(options.root) not in sys.path:
        sys.path.insert(0, str(options.root))  # as `alembic` has the working directory there
    found: Callable[[Config], Any] = getattr(importlib.import_module(module), function or "env_setup")
    return found


def _failed(named: str, options: StoreOptions, what: str) -> ConfigError:
    return ConfigError(
        "env-setup-failed",
        f"env_setup {named} of {options.name} failed: {what}",
        where=f"[stores.{options.name}] env_setup",
        fix="name a function as `module:function`, of a module that can be imported from the folder of provision.toml;"
        " it is called with Alembic's Config",
    )
