"""Every word that `plan show` prints."""

from __future__ import annotations

import sys
from pathlib import Path

from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.problems import command
from provision.cli.render.summary import table
from provision.model.plans import ObjectDigests, PlannedStep, SavedPlan, TableLock
from provision.wiring.saved_plans import document

STOPS = {
    "share update exclusive": "keeps nobody from reading or writing",
    "share": "keeps others from writing",
    "share row exclusive": "keeps others from writing",
    "access exclusive": "keeps others from reading and writing",
}


def shown(plan: SavedPlan, file: Path, output: str) -> None:
    """A saved plan; in `json` as it is in its file."""
    if output == "json":
        print_document(document(plan))
        return
    _text(plan, file)
    if output == "github":
        _annotations(plan)


def _text(plan: SavedPlan, file: Path) -> None:
    paper = Paper(sys.stdout)
    paper.write(f"{plan.project} · {plan.environment} · {file}", "head")
    for number, each in enumerate(plan.steps, 1):
        paper.write(f"  {number:>3}  {each.id}  {each.description}")
        for line in warnings(each):
            paper.write(f"       {line}", "warn")
        for lock in each.locks or ():
            paper.write(f"       {locked(lock)}", "warn" if lock.mode == "access exclusive" else "dim")
        if each.statements is None:
            paper.write(f"       -- {each.reason}", "dim")
        for statement in each.statements or ():
            paper.write_lines(f"       {line}".rstrip() for line in statement.strip().splitlines())
    for name, waits in plan.held.items():
        paper.write(f"  blocked {name}: waits for {', '.join(waits)}", "warn")
    for store, objects in plan.objects.items():
        paper.write(f"  {kept(store, objects)}", "dim")
    paper.write(summary(plan, file))


def _annotations(plan: SavedPlan) -> None:
    for each in plan.steps:
        for line in warnings(each):
            print_form(command("warning", f"{each.id} {line}", title=line.split(":")[0]))
    rows = [(str(at), each.id, each.description, "; ".join(warnings(each))) for at, each in enumerate(plan.steps, 1)]
    table(f"{plan.project} · {plan.environment}: {len(plan.steps)} to apply", ("", "revision", "does", "look at"), rows)


def warnings(each: PlannedStep) -> list[str]:
    """What a reviewer should look at twice."""
    made = [f"loses data: {reason}" for reason in each.destructive]
    return [*made, *([f"not everything is known of it: {each.unknown}"] if each.unknown else [])]


def locked(lock: TableLock) -> str:
    return f"locks {lock.table} ({lock.mode}): {STOPS[lock.mode]}"


def kept(store: str, objects: ObjectDigests) -> str:
    """What of a store must be as it was."""
    count = len(objects.digests)
    which = "every object of the store" if objects.names is None else "what it touches"
    return f"{store}: refused unless {which} is as it was ({count} object{'s' * (count != 1)})"


def summary(plan: SavedPlan, file: Path) -> str:
    """How many steps, and how to run them."""
    if not plan.steps:
        return "nothing to apply"
    losing = sum(bool(each.destructive) for each in plan.steps)
    said = f", {losing} of them lose{'s' * (losing == 1)} data" if losing else ""
    allow = " --allow-destructive" if losing else ""
    return f"{len(plan.steps)} to apply{said}; run it: provision up --plan {file}{allow} --env {plan.environment}"
