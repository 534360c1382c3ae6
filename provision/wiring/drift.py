"""What was changed by hand of the objects that a run is about to touch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from provision import kinds
from provision.errors import ProvisionError, RefusedError
from provision.flows.connect import Site
from provision.model import Direction, Note, Plan, Revision, StoreOptions
from provision.model.lint import Script
from provision.ports.kind import Objects
from provision.wiring.snapshots import FOLDER

_WORD = re.compile(r"\w+")
_SHOWN = 5
_BY_HAND = "changed by hand: "


def before_up(site: Site, plan: Plan) -> list[Note]:
    """What a person should know of before the steps of a plan run: a note an object, or why a store is not compared.

    Costs nothing where there are no steps or no snapshots, or where the store is empty yet. Reads only. What keeps it
    from comparing is a note. Raises RefusedError (changed-by-hand) where the environment says `drift = "refuse"`.
    """
    if not plan.steps or not (site.project.root / FOLDER).is_dir():
        return []
    notes: list[Note] = []
    for options in site.project.stores:
        steps = [each.revision for each in plan.lane(options.name) if each.direction is Direction.UP]
        mine = [each for each in site.graph.of(options.name) if not each.repeatable]
        if steps and len([each for each in steps if not each.repeatable]) < len(mine):
            try:
                notes += _of_store(site, options, steps)
            except ProvisionError as error:
                notes.append(Note(options.name, f"not compared with {FOLDER}/{options.name}.json: {error.what}"))
    found = [each for each in notes if each.text.startswith(_BY_HAND)]
    if found and site.project.refuses_drift(site.environment.name):
        told = "; ".join(f"{each.store}: {each.text.removeprefix(_BY_HAND)}" for each in found)
        where = f'[environments.{site.environment.name}] drift = "refuse"'
        fix = "look at `provision drift`, take the change back or accept it"
        raise RefusedError(
            "changed-by-hand", f"what would be touched was changed by hand: {told}", where=where, fix=fix
        )
    return notes


def _of_store(site: Site, options: StoreOptions, steps: Sequence[Revision]) -> Iterator[Note]:
    from provision.wiring import snapshots

    expected = snapshots.read(site.project.root).get(options.name)
    kind = kinds.named(options.kind, options.name)
    reader = kind.lint()
    if expected is None or reader is None:
        return
    if not all(map(kinds.is_installed, reader.needs)):
        yield Note(options.name, "not compared with its snapshot: the extra `lint` is not installed")
        return
    # What later revisions make is not there yet either.
    ordered = site.graph.of(options.name)
    scripts = reader.scripts(options, ordered[min(map(ordered.index, steps)) :])
    touching = [each for each in scripts if each.file in {step.path for step in steps}]
    unseen = [each.file for each in scripts if each.not_rendered]
    if unseen:
        yield Note(options.name, f"not compared with its snapshot: {unseen[0]} cannot be read without a server")
        return
    live = snapshots.taken(site.project, site.environment, [options.name])[options.name]
    found = list(by_hand(expected, live, _words(touching), _words(scripts)))
    for text in found[:_SHOWN]:
        yield Note(options.name, f"{_BY_HAND}{text}")
    if len(found) > _SHOWN:
        yield Note(options.name, f"{len(found) - _SHOWN} more were changed by hand: `provision drift`")


def _words(scripts: Sequence[Script]) -> frozenset[str]:
    return frozenset(word for each in scripts for unit in each.units for word in _WORD.findall(unit.text))


def by_hand(expected: Objects, live: Objects, touched: frozenset[str], spoken: frozenset[str]) -> Iterator[str]:
    """What differs of the tables that statements touch, without what they speak of themselves.

    `expected` is what there is after all statements, so that what they make or drop differs now. `touched` are the
    words of those that run now, `spoken` of those that are still to come, too.
    """
    for name in sorted(name for name in {**expected, **live} if expected.get(name) != live.get(name)):
        was, now = expected.get(name), live.get(name)
        own, table = _named(name, was or now or "")
        if table not in touched:
            continue
        if was is None or now is None:
            if own not in spoken:
                yield f"{name} is {'gone' if now is None else 'there, and no revision makes it'}"
            continue
        lines = [line.strip() for line in {*was.split("\n")} ^ {*now.split("\n")}]
        unsaid = {words[0] for line in lines if (words := _WORD.findall(line)) and words[0] not in spoken}
        if unsaid and (own != table or len(lines) > 1 or "\n" in now):
            yield f"{name}, at {', '.join(sorted(unsaid))}"


def _named(name: str, text: str) -> tuple[str, str]:
    """The own name of an object, and that of the table that it belongs to, or its own."""
    first, _, of = name.partition(" of ")
    on = re.search(r" ON (?:ONLY )?(\S+) USING ", text) if name.startswith("index ") else None
    own, table = (
        each.rpartition(" ")[2].rpartition(".")[2].strip('"`') for each in (first, of or (on[1] if on else first))
    )
    return own, table
