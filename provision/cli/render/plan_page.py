"""A saved plan as one HTML page, for whoever has to say yes to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from provision.cli.render.html_page import escape, whole
from provision.cli.render.plan_file import locked, summary, warnings
from provision.model.plans import ObjectDigests, PlannedStep, SavedPlan

SHOWN = 12  # characters of a digest


def page(plan: SavedPlan, file: str) -> str:
    """What runs, in order, what it loses and locks, and what must not have moved."""
    title = f"{plan.project} · {plan.environment} · plan"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<div class="dim">{escape(summary(plan, Path(file)))}</div>',
        _sums(plan),
        *(part for number, each in enumerate(plan.steps, 1) for part in _step(number, each)),
        *_held(plan),
        *_unmoved(plan),
    ]
    return whole(title, "\n".join(parts))


def _sums(plan: SavedPlan) -> str:
    losing = sum(bool(each.destructive) for each in plan.steps)
    locking = sum(any(lock.mode == "access exclusive" for lock in each.locks or ()) for each in plan.steps)
    unseen = sum(each.statements is None or bool(each.unknown) for each in plan.steps)
    boxes = [
        (len(plan.steps), "to apply", ""),
        (losing, "lose data", "fail" if losing else ""),
        (locking, "lock out readers", "warn" if locking else ""),
        (unseen, "not fully known", "warn" if unseen else ""),
    ]
    made = (f'<div class="{tone}"><b>{count}</b>{words}</div>' for count, words, tone in boxes)
    return f'<div class="sum">{"".join(made)}</div>'


def _step(number: int, each: PlannedStep) -> Iterator[str]:
    yield f"<h2>{number}. {escape(each.id)} <small>{escape(each.description)}</small></h2>"
    losing = [f"loses data: {reason}" for reason in each.destructive]
    yield from (f'<div class="{"fail" if line in losing else "warn"}">{escape(line)}</div>' for line in warnings(each))
    for lock in each.locks or ():
        tone = "warn" if lock.mode == "access exclusive" else "dim"
        yield f'<div class="{tone}">{escape(locked(lock))}</div>'
    if each.statements is None:
        yield f'<div class="dim">{escape(each.reason)}</div>'
    yield from (f"<pre>{escape(text.strip())}</pre>" for text in each.statements or ())
    if each.touches:
        head = f'<summary class="dim">{len(each.touches)} things touched</summary>'
        yield f"<details>{head}{_list(each.touches)}</details>"


def _held(plan: SavedPlan) -> Iterator[str]:
    if plan.held:
        yield "<h2>Blocked</h2>"
        yield _list(f"{name} waits for {', '.join(waits)}" for name, waits in plan.held.items())


def _unmoved(plan: SavedPlan) -> Iterator[str]:
    if plan.objects:
        yield "<h2>Refused if one of these moves <small>SHA-256 of each definition</small></h2>"
        rows = "".join(row for store, each in plan.objects.items() for row in _digests(store, each))
        yield f'<table><tr><th class="s">store</th><th>object</th><th>digest</th></tr>{rows}</table>'


def _digests(store: str, objects: ObjectDigests) -> Iterator[str]:
    for name, digest in objects.digests.items():
        yield f"<tr><td>{escape(store)}</td><td>{escape(name)}</td><td><code>{digest[:SHOWN]}</code></td></tr>"
    if not objects.digests:
        of = "nothing of the store" if objects.names is None else ", ".join(objects.names) or "nothing"
        yield f'<tr><td>{escape(store)}</td><td class="dim">{escape(f"not there yet: {of}")}</td><td></td></tr>'


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
