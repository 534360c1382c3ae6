"""Runs rules over scripts, in order, over one growing world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from provision.lint.names import COMMON
from provision.lint.suppress import suppressed
from provision.model import Severity
from provision.model.lint import Hit, LintFinding, Place, Rule, Script, World

NOT_RENDERED = "not-rendered"


def findings(
    store: str,
    scripts: Sequence[Script],
    world: World,
    rules: Sequence[Rule],
    levels: Mapping[str, Severity | None],
    others: Sequence[LintFinding] = (),
) -> list[LintFinding]:
    """Every finding in the order of files and lines, `others` among them.

    `levels`: rule → its level here; None switches it off.
    """
    hits = _hits(scripts, world, rules)
    found = [*others, *(_finding(store, rule, hit) for rule, hit in hits)]
    found += [_not_rendered(store, each) for each in scripts if each.not_rendered]
    by_file: dict[str, list[LintFinding]] = {each.file: [] for each in scripts}
    for each in found:
        by_file.setdefault(each.file, []).append(each)
    known = {*COMMON, *(each.name for each in rules)}
    made: list[LintFinding] = []
    for script in scripts:
        made += suppressed(store, script, sorted(by_file.pop(script.file, ()), key=_order), known, levels)
    made += [each for left in by_file.values() for each in left]
    return [each for each in (leveled(finding, levels) for finding in made) if each is not None]


def leveled(finding: LintFinding, levels: Mapping[str, Severity | None]) -> LintFinding | None:
    """The finding at the level of this environment; None where its rule is off."""
    level = levels.get(finding.rule, finding.severity)
    if level is None or level is finding.severity:
        return None if level is None else finding
    return replace(finding, severity=level)


def _hits(scripts: Sequence[Script], world: World, rules: Sequence[Rule]) -> list[tuple[Rule, Hit]]:
    hits: list[tuple[Rule, Hit]] = []
    checks = [(rule, rule.check) for rule in rules if rule.check is not None]
    for script in scripts:
        world.begin(script)
        for unit in script.units:
            hits += [(rule, hit) for rule, check in checks for hit in check(unit, world)]
            world.add(unit)
    hits += [(rule, hit) for rule in rules if rule.whole is not None for hit in rule.whole(world)]
    return hits


def _order(finding: LintFinding) -> tuple[int, int, str]:
    return finding.line, finding.column, finding.rule


def _finding(store: str, rule: Rule, hit: Hit) -> LintFinding:
    unit = hit.unit
    place = unit.place if hit.at is None else hit.at if isinstance(hit.at, Place) else unit.locate(hit.at)
    return LintFinding(
        rule.name,
        hit.level or rule.level,
        store,
        unit.file,
        place.line,
        place.column,
        hit.object,
        hit.message,
        hit.fix,
        hit.edits or (unit.mend(unit, rule.name) if unit.mend is not None else ()),
    )


def _not_rendered(store: str, script: Script) -> LintFinding:
    what = f"not rendered, so that no rule has seen its statements: {script.not_rendered}"
    fix = "make what it asks of the database optional while Alembic is offline (context.is_offline_mode())"
    return LintFinding(NOT_RENDERED, Severity.WARNING, store, script.file, 1, 1, "", what, fix)
