"""The rules that there are: each kind's, found as the files of its folder, and those of every kind."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from provision.model.lint import Rule

COMMON = (
    "cycle",
    "destructive-not-declared",
    "duplicate-id",
    "edited-applied",
    "irreversible-without-reason",
    "missing-down",
    "missing-parent",
    "missing-requirement",
    "not-rendered",
    "suppression-unknown-rule",
    "suppression-unused",
    "suppression-without-reason",
    "two-heads",
    "unreadable",
)
"""Rules that hold for files of every kind: `provision.lint` and the order of revisions find them."""


def rules_of(package: str) -> Sequence[Rule]:
    """The rules of a kind, whose package is given, in the order of their names."""
    folder = f"{package}.lint.rules"
    if find_spec(f"{package}.lint") is None or find_spec(folder) is None:
        return ()
    names = sorted(each.name for each in pkgutil.iter_modules(import_module(folder).__path__))
    return [import_module(f"{folder}.{name}").RULE for name in names]
