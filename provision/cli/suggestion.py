"""Writes the revision that a constant backfill comes to."""

from __future__ import annotations

from provision import kinds, settings
from provision.cli.render.paper import print_lines
from provision.errors import EXIT_DONE, EXIT_FINDINGS, CapabilityMissing
from provision.flows.backfill import BackfillContext, batches_of
from provision.model.backfills import Backfill
from provision.text.written import writing


def write(project: settings.ProjectFile, place: BackfillContext, chosen: Backfill) -> int:
    """Write it and print its path; the exit code, 1 where a plain DEFAULT would not do the same.

    Raises CapabilityMissing.
    """
    store = place.stores[chosen.store]
    constants = batches_of(store).suggestion(chosen)
    if constants is None:
        print_lines([f"{chosen.name} is a backfill: its values differ by row, or its columns are not empty and unused"])
        return EXIT_FINDINGS
    part = kinds.named(store.kind, store.name).suggest()
    if part is None:
        fix = f"write the migration by hand: provision new {store.name} MESSAGE"
        raise CapabilityMissing.of_kind(store.name, store.kind, "suggestions", fix)
    options = next(each for each in project.stores if each.name == chosen.store)
    with writing("the file", options.path):
        written = part.write(options, str(chosen.body["table"]), constants, chosen.requires)
    for path in written:
        print_lines([path.relative_to(project.root).as_posix()])
    count = "1 column gets" if len(constants) == 1 else f"{len(constants)} columns get"
    print_lines([f"{count} one constant: a DEFAULT touches no row; apply it in the place of {chosen.id}"])
    return EXIT_DONE
