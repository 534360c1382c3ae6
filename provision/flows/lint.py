"""Lints the scripts of stores: each store's in order, then one report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from provision.lint.engine import findings, leveled
from provision.lint.files import of_file
from provision.model import Severity
from provision.model.lint import LintFinding, Rule, Script, World

Levels = Mapping[str, Severity | None]


@dataclass(frozen=True, slots=True)
class StoreLint:
    """What was found in the files of one store; `files` are all of them."""

    findings: tuple[LintFinding, ...]
    files: tuple[str, ...]
    not_rendered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreScripts:
    """The files of one store, parsed, and the rules of its kind.

    `known`: what was found in the same files before, which then are not parsed. `keep` is called with what is found.
    """

    store: str
    scripts: Sequence[Script]
    world: World
    rules: Sequence[Rule]
    known: StoreLint | None = None
    keep: Callable[[StoreLint], None] | None = None


@dataclass(frozen=True, slots=True)
class LintReport:
    """Every finding, and how many files were read; `not_rendered` are those whose statements were not seen."""

    findings: tuple[LintFinding, ...] = ()
    files: int = 0
    not_rendered: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        return sum(each.severity is severity for each in self.findings)

    @property
    def failed(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.findings)


@dataclass(frozen=True, slots=True)
class LintScope:
    """`levels`: rule → its level, None for off. `only`: the files whose findings are shown; None shows all.

    `edited`: files that another branch has with other statements.
    """

    levels: Levels = field(default_factory=dict)
    only: Collection[str] | None = None
    edited: Collection[str] = ()


def linted(stores: Sequence[StoreScripts], scope: LintScope, others: Sequence[LintFinding] = ()) -> LintReport:
    """What the rules find in the stores' files, and `others`, which were found elsewhere."""
    done = [_of_store(each, scope, [other for other in others if other.store == each.store]) for each in stores]
    found = [one for each in done for one in each.findings]
    known = {each.store for each in stores}
    loose = (leveled(each, scope.levels) for each in others if each.store not in known)
    found += [each for each in loose if each is not None]
    shown = [each for each in found if scope.only is None or each.file in scope.only]
    files = {file for each in done for file in each.files if scope.only is None or file in scope.only}
    unseen = (file for each in done for file in each.not_rendered if file in files)
    return LintReport(tuple(shown), len(files), tuple(unseen))


def _of_store(each: StoreScripts, scope: LintScope, others: Sequence[LintFinding]) -> StoreLint:
    if each.known is not None:
        return each.known
    mine = [one for script in each.scripts if script.journaled for one in of_file(each.store, script, scope.edited)]
    found = findings(each.store, each.scripts, each.world, each.rules, scope.levels, [*others, *mine])
    unseen = tuple(script.file for script in each.scripts if script.not_rendered)
    made = StoreLint(tuple(found), tuple(script.file for script in each.scripts), unseen)
    if each.keep is not None:
        each.keep(made)
    return made
