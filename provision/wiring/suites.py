"""Finds the suites that a command line names, and brings together what reading and reaching them takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from provision import kinds, settings
from provision.errors import CapabilityMissing, ConfigError, for_each, raise_all
from provision.flows.connect import known_stores
from provision.flows.needed import ReachedStores
from provision.flows.validate import NO_CHECKS, MadeBy, stores_of
from provision.model.checks import Check, Scope, Suite, Table
from provision.text.nearest import near
from provision.validate import document as documents
from provision.validate.document import SuiteVocabulary
from provision.validate.kinds import ACROSS, made_across


class Vocabularies:
    """What each store of a project brings to suites; read from its package, without a server."""

    def __init__(self, project: settings.ProjectFile) -> None:
        self._project = project
        self._kinds = {options.name: options.kind for options in project.stores}

    def of(self, store: str) -> SuiteVocabulary:
        """Raises ConfigError (unknown-store), CapabilityMissing."""
        known_stores(self._project, frozenset({store}))
        found = vocabulary(self._kinds[store])
        if found is None:
            raise CapabilityMissing.of_kind(store, self._kinds[store], "checks", NO_CHECKS)
        return SuiteVocabulary({**{name: each.schema for name, each in ACROSS.items()}, **found.kinds}, found.table)

    def made_by(self, store: str) -> Collection[str]:
        """The kinds of check that a store makes itself."""
        found = vocabulary(self._kinds[store])
        return found.kinds if found is not None else ()


@cache
def vocabulary(kind: str) -> SuiteVocabulary | None:
    """What a kind of store brings; None where it has no checks."""
    part = kinds.named(kind, "checks").check_kinds()
    return SuiteVocabulary(part.KINDS, part.TABLE) if part is not None else None


def schema() -> dict[str, Any]:
    """The JSON Schema of a suite, with what every kind of store brings."""
    found = [vocabulary(kind.name) for kind in kinds.every()]
    across = SuiteVocabulary({name: each.schema for name, each in ACROSS.items()})
    return documents.editor_schema([across, *(each for each in found if each is not None)])


def read(project: settings.ProjectFile, names: Sequence[str], vocabularies: Vocabularies) -> tuple[Suite, ...]:
    """The named suites, or all of the project but those on request.

    Raises ConfigError for everything that is wrong in any of them.
    """
    found = documents.found(project.root)

    def one(name: str) -> Suite:
        path = found[_existing_name(name, found)]
        return documents.read(path, path.relative_to(project.root).as_posix(), vocabularies.of)

    suites = for_each(dict.fromkeys(names) or found, one)
    if not suites:
        fix = "write checks/NAME.yaml; `provision docs validation` shows what it holds"
        raise ConfigError("no-suites", "the project has no suites", where=str(project.root / "checks"), fix=fix)
    return tuple(each for each in suites if names or not each.on_request)


def tagged(suites: Sequence[Suite], tags: Sequence[str]) -> tuple[Suite, ...]:
    """The suites with nothing but the checks that have one of the tags. Raises ConfigError (no-such-check)."""
    if not tags:
        return tuple(suites)
    known = {tag for suite in suites for table in suite.tables for check in table.checks for tag in check.tags}
    for tag in tags:
        if tag not in known:
            fix = near(tag, sorted(known), "known") if known else "write `tags:` in a suite"
            raise ConfigError("no-such-check", f"no check has the tag {tag}", where="--tag", fix=fix)
    return _with(suites, lambda check: not set(tags).isdisjoint(check.tags))


def only(suites: Sequence[Suite], patterns: Sequence[str]) -> tuple[Suite, ...]:
    """The suites with nothing but the checks that a pattern names. Raises ConfigError (no-such-check)."""
    if not patterns:
        return tuple(suites)
    names = [check.name for suite in suites for table in suite.tables for check in table.checks]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            fix = near(pattern, names, "known")
            raise ConfigError("no-such-check", f"no check is called {pattern}", where="--only", fix=fix)
    return _with(suites, lambda check: any(fnmatchcase(check.name, pattern) for pattern in patterns))


def _with(suites: Sequence[Suite], wanted: Callable[[Check], bool]) -> tuple[Suite, ...]:
    cut = [
        replace(
            suite,
            tables=tuple(
                replace(table, checks=kept) for table in suite.tables if (kept := tuple(filter(wanted, table.checks)))
            ),
        )
        for suite in suites
    ]
    return tuple(suite for suite in cut if suite.tables)


def narrowed(
    suites: Sequence[Suite], scope: Scope, needed: ReachedStores, made_by: MadeBy
) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """The suites without what cannot be looked at here, and a note on each table left out.

    Raises ConfigError (nothing-to-check) when nothing is left, and why a store does not answer; one of which the
    environment says nothing is as one that it switches off.
    """
    bare = _bare(needed, stores_of(suites, made_by))
    suites, unfit = _fitting(suites, scope, made_by)
    notes: list[str] = list(unfit)
    kept = []
    for suite in suites:
        why = [_left_out(suite, table, scope, needed.off, bare, made_by) for table in suite.tables]
        left_out = [(table, each) for table, each in zip(suite.tables, why, strict=True) if each]
        if len(left_out) == len(why) and len(set(why)) == 1:
            notes.append(f"{suite.name} is not run: {why[0]}")
        else:
            notes += [f"{table.store} {table.name} is left out: {each}" for table, each in left_out]
        tables = tuple(table for table, each in zip(suite.tables, why, strict=True) if not each)
        kept.append(replace(suite, tables=tables))
    if not any(suite.tables for suite in kept):
        if not notes:
            what = "every suite is run on request alone"
            raise ConfigError("nothing-to-check", what, where="checks", fix="name one: `provision validate SUITE`")
        raise ConfigError("nothing-to-check", notes[0], fix="leave the option out, or switch the store on")
    return tuple(suite for suite in kept if suite.tables), tuple(dict.fromkeys(notes))


def _bare(needed: ReachedStores, names: frozenset[str]) -> Mapping[str, str]:
    """The stores of which the environment says nothing, with that in words. Raises why others do not answer."""
    lost = {name: error for name, error in needed.lost.items() if name in names}
    raise_all([error for error in lost.values() if error.code != "store-not-configured"])
    return {name: error.what for name, error in lost.items()}


def _fitting(suites: Sequence[Suite], scope: Scope, made_by: MadeBy) -> tuple[tuple[Suite, ...], tuple[str, ...]]:
    """The suites without the checks that cannot be made of the rows of the scope alone, and a note on each of those."""
    notes: list[str] = []

    def fits(table: Table, check: Check) -> bool:
        across = made_across(check, table, made_by(table.store))
        why = across.unfit(check, scope) if across is not None else ""
        if why:
            notes.append(f"{table.store} {table.name} {check.name} is left out: {why}")
        return not why

    kept = [
        replace(
            suite,
            tables=tuple(
                replace(table, checks=tuple(check for check in table.checks if fits(table, check)))
                for table in suite.tables
            ),
        )
        for suite in suites
    ]
    return tuple(kept), tuple(notes)


def _left_out(
    suite: Suite, table: Table, scope: Scope, off: frozenset[str], bare: Mapping[str, str], made_by: MadeBy
) -> str:
    stores = stores_of([replace(suite, tables=(table,))], made_by)
    if off & stores:
        return f"{', '.join(sorted(off & stores))} is off in this environment"
    if bare.keys() & stores:
        return "; ".join(bare[name] for name in sorted(bare.keys() & stores))
    if (scope.since or scope.until) and table.time is None:
        return "its suite names no `time` to narrow it by"
    if scope.tenant is not None and table.tenant is None:
        return "its suite names no `tenant` to narrow it by"
    return ""


def _existing_name(name: str, found: Collection[str]) -> str:
    if name in found:
        return name
    fix = near(name, list(found), "known")
    raise ConfigError("unknown-suite", f"no suite is called {name}", where=f"checks/{name}.yaml", fix=fix)
