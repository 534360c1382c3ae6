"""Every word that `tune` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from provision.cli.render.paper import Paper, print_document
from provision.flows.tune import TuneChange, TuneStanding
from provision.model.tune import Changed, Fit, Machine
from provision.settings import Environment

_SIGNS = {Fit.FITS: "✓", Fit.DIFFERS: "·", Fit.PENDING: "…", Fit.HELD: "!"}


def shown(project: str, environment: Environment, found: Sequence[TuneStanding], form: str) -> None:
    """Each server, and each setting now and as it should be."""
    if form == "json":
        print_document([as_json(each) for each in found])
        return
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {environment.name}", "head")
    for each in found:
        paper.write(f"{each.store}  {machine(each.machine)}", "head")
        wide = [max(len(text) for text in column) for column in zip(*_cells(each), strict=True)]
        for setting, cells in zip(each.settings, _cells(each), strict=True):
            name, now, wanted = (cell.ljust(width) for cell, width in zip(cells, wide, strict=True))
            if setting.fit is Fit.FITS:
                paper.write(paper.fitted(f"  ✓ {name}  {now}"), "dim")
                continue
            how = _how(setting.fit, setting.source, restart=setting.restart)
            paper.write(f"  {_SIGNS[setting.fit]} {name}  {now}  {wanted}  {how}")
            paper.write(f"      {setting.why}", "dim")
        if each.danger:
            paper.write(f"  now: {each.danger}", "bad")
        if any(setting.fit is Fit.DIFFERS for setting in each.settings):
            paper.write("  `provision tune apply` changes what differs, `provision tune reset` puts it back")


def changed(
    project: str, environment: Environment, done: Sequence[TuneChange], form: str, *, reset: bool, dry_run: bool = False
) -> None:
    """What was done to each setting, and what waits for a restart."""
    if form == "json":
        print_document([_change(each, dry_run=dry_run) for each in done])
        return
    paper = Paper(sys.stdout)
    paper.write(f"{project} · {environment.name}", "head")
    for each in done:
        if not each.changed:
            paper.write(f"  ✓ {each.store}  nothing to {'put back' if reset else 'change'}")
        for one in each.changed:
            after = "what the server has of itself" if one.after is None else one.after
            before = "" if one.before is None else f" (was {one.before})"
            verb = "would be" if dry_run else "is"
            restart = ", from the next restart on" if one.restart else ""
            paper.write(f"  ✓ {each.store} {one.name}  {verb} {after}{before}{restart}", "" if dry_run else "done")
        for name, why in each.left.items():
            paper.write(f"  ! {each.store} {name}  left: {why}", "odd")


def as_json(each: TuneStanding) -> dict[str, Any]:
    """The document of `tune show`, for one server."""
    return {
        "store": each.store,
        "machine": {
            "memory_bytes": each.machine.memory,
            "cores": each.machine.cores,
            "disk": str(each.machine.disk),
        },
        "danger": each.danger or None,
        "settings": [
            {
                "name": one.name,
                "now": one.now,
                "wanted": one.wanted,
                "fit": str(one.fit),
                "takes": "restart" if one.restart else "reload",
                "why": one.why,
                "source": one.source,
            }
            for one in each.settings
        ],
    }


def machine(found: Machine) -> str:
    """`7.8 GB of memory, 2 cores, ssd`."""
    memory = (found.memory or 0) / (1 << 30)
    return f"{memory:.1f} GB of memory, {found.cores} core{'' if found.cores == 1 else 's'}, {found.disk}"


def _cells(each: TuneStanding) -> list[tuple[str, str, str]]:
    return [(one.name, one.now, f"→ {one.wanted}") for one in each.settings]


def _how(fit: Fit, source: str, *, restart: bool) -> str:
    if fit is Fit.PENDING:
        return "waits for a restart"
    if fit is Fit.HELD:
        return f"held by the {source}"
    return "restart" if restart else "reload"


def _change(each: TuneChange, *, dry_run: bool) -> dict[str, Any]:
    return {
        "store": each.store,
        "dry_run": dry_run,
        "changed": [_one(one) for one in each.changed],
        "left": [{"name": name, "why": why} for name, why in each.left.items()],
    }


def _one(one: Changed) -> dict[str, Any]:
    return {
        "name": one.name,
        "before": one.before,
        "after": one.after,
        "takes": "restart" if one.restart else "reload",
    }
