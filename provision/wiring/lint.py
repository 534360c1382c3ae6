"""What `lint` reads: the stores of a project, or plain files of a kind. Reaches no server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from provision import kinds, settings
from provision.core.graph import Graph
from provision.errors import ConfigError, ProvisionError
from provision.flows.lint import StoreScripts
from provision.lint.files import of_errors
from provision.lint.names import COMMON, rules_of
from provision.model import Revision, Severity, StoreOptions
from provision.model.lint import LintFinding, Rule
from provision.ports.kind import Kind
from provision.ports.lint import LintReader
from provision.text.files import read_text
from provision.text.nearest import nearest
from provision.wiring.lint_cache import LintCache


def of_project(
    project: settings.ProjectFile, only: Sequence[str], cache: LintCache | None = None
) -> tuple[list[StoreScripts], list[LintFinding]]:
    """Every store that can be linted, and what is wrong in files that cannot be read.

    `cache`: where what was found before is kept, and what is found now.
    Raises ConfigError (unknown-store, missing-extra).
    """
    names = tuple(each.name for each in project.stores)
    for name in only:
        if name not in names:
            raise ConfigError("unknown-store", f"no store is called {name!r}", where="--only", fix=", ".join(names))
    read: list[tuple[StoreOptions, Kind, Sequence[Revision]]] = []
    wrong: list[LintFinding] = []
    for options in project.stores:
        if only and options.name not in only:
            continue
        kind = kinds.named(options.kind, f"provision.toml, [stores.{options.name}]")
        try:
            revisions = kinds.build(options).revisions()
        except ProvisionError as error:
            if isinstance(error, ConfigError) and error.code == "missing-extra":
                raise
            wrong += of_errors(error, options.name)
            continue
        read.append((options, kind, revisions))
    if not only and not wrong:
        try:
            Graph([each for *_, revisions in read for each in revisions], project.many_heads)
        except ProvisionError as error:
            wrong += of_errors(error, project.name)
    kept = None if wrong else cache
    return [made for each in read if (made := _scripts(*each, kept)) is not None], wrong


def _scripts(
    options: StoreOptions, kind: Kind, revisions: Sequence[Revision], cache: LintCache | None
) -> StoreScripts | None:
    reader = kind.lint()
    if reader is None:
        return None
    _installed(reader, f"provision.toml, [stores.{options.name}]")
    world = reader.world()
    world.complete = True
    entry = cache.entry(options, kind, revisions) if cache is not None else None
    known = entry.known() if entry is not None else None
    if known is not None:
        return StoreScripts(options.name, (), world, (), known)
    read = zip(reader.scripts(options, revisions), revisions, strict=True)
    scripts = [replace(script, journaled=not each.repeatable) for script, each in read]
    keep = partial(entry.keep, reader=reader) if entry is not None else None
    return StoreScripts(options.name, scripts, world, rules_of(kind.package), keep=keep)


def of_files(kind_name: str, files: Sequence[Path], *, complete: bool = False) -> StoreScripts:
    """Files of one kind, in the order given, as one history; `complete`: there is no other.

    Raises ConfigError (unknown-kind, capability-missing, missing-extra, not-utf8, unreadable-file).
    """
    kind = kinds.named(kind_name, "--store")
    reader = kind.lint()
    if reader is None:
        what = f"lint has no rules for files of kind {kind.name}"
        raise ConfigError("capability-missing", what, where="--store", fix="leave them out")
    _installed(reader, "--store")
    scripts = reader.plain({str(each): read_text(each, str(each)) for each in files})
    world = reader.world()
    world.complete = complete
    return StoreScripts(kind.name, scripts, world, rules_of(kind.package))


class RuleOf(NamedTuple):
    """A rule, and the name of the kind that has it."""

    kind: str
    rule: Rule


def every_rule() -> Iterator[RuleOf]:
    """The rules of every kind whose parser is installed."""
    for kind in kinds.every():
        reader = kind.lint()
        if reader is not None and all(map(kinds.is_installed, reader.needs)):
            yield from (RuleOf(kind.name, rule) for rule in rules_of(kind.package))


def _installed(reader: LintReader, where: str) -> None:
    for each in reader.needs:
        if not kinds.is_installed(each):
            what = f"lint parses with the package {each}, which is not installed"
            raise ConfigError("missing-extra", what, where=where, fix="pip install 'provision-toolkit[lint]'")


def levels(named: Mapping[str, str], file: str) -> Mapping[str, Severity | None]:
    """Rule → its level, None for off. Raises ConfigError (unknown-key) for what is no rule of any kind."""
    known = {*COMMON, *(each.rule.name for each in every_rule())} if named else set()
    for rule in named:
        if rule not in known:
            fix = nearest(rule, sorted(known))
            raise ConfigError("unknown-key", f"no rule of lint is called {rule!r}", where=file, fix=fix)
    return {rule: None if level == "off" else Severity(level) for rule, level in named.items()}
