"""Every word that `partitions forecast` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provision.cli.render.paper import moment, print_document
from provision.cli.render.partitions import as_json as standing_json
from provision.cli.render.partitions import begun, between, day, size
from provision.flows.partitions import SetStanding
from provision.partitions.forecast import Forecast, Part, forecast
from provision.settings import Environment
from provision.text.counts import rows_of


def forecasted(project: str, environment: Environment, found: Sequence[SetStanding], form: str) -> None:
    """What will become of each table."""
    if form == "json":
        print_document([as_json(each) for each in found])
        return
    paper = begun(project, environment, found)
    for each in found:
        mark, style = ("✗", "bad") if each.needs else ("✓", "done")
        paper.write(f"  {mark} {each.wanted.store} {each.wanted.table}", style)
        for text, wrong in lines(each):
            paper.write(f"      {text}", "bad" if wrong else "")


def lines(each: SetStanding) -> Iterator[tuple[str, bool]]:
    """Each sentence of a table, and whether a person is needed because of it."""
    found, covered = each.found, each.coverage
    if found is None or covered is None:
        yield (each.error.what if each.error else ""), True
        return
    made = f"`provision partitions ensure {each.wanted.name}`"
    if covered.until is None:
        yield "takes rows for ever", False
    elif covered.until <= found.now:
        yield f"takes no row now: {made}", True
    else:
        days = (covered.until - found.now).days
        text = f"runs out on {day(covered.until)}, in {days} day{'' if days == 1 else 's'}, if no window is made"
        yield (f"{text}: {made}" if covered.short else text), covered.short
    for gap in covered.gaps:
        yield f"no window for {between(gap)}: {made}", True
    if found.default_rows:
        yield f"{rows_of(found.default_rows)} in the default partition: {made}", True
    for window in found.windows:
        if window.state in ("detaching", "retiring"):
            yield f"{window.name} is half retired: `provision partitions retire {each.wanted.name}`", True
    for name in found.merging:
        yield f"the merge into {name} did not end: `provision partitions merge {each.wanted.name}`", True
    if found.trouble:
        yield found.trouble, True
    yield from ((text, False) for text in _ahead(each, forecast(each.wanted, found)))


def _ahead(each: SetStanding, seen: Forecast) -> Iterator[str]:
    assert each.found is not None
    yield from _size(len(each.found.attached), seen)
    if each.found.leaves:
        yield f"the server removes windows itself: {each.found.leaves}"
    elif each.wanted.retain is None:
        yield "retires nothing: rows are kept for ever"
    elif seen.retires.windows and seen.sized:
        yield f"retires {_amount(seen.retires)} within a month"
    elif seen.retires.windows:
        yield f"retires {seen.retires.windows} windows within a month"
    else:
        yield "retires nothing within a month"
    if seen.in_a_year is not None:
        yield f"about {size(seen.in_a_year)} in a year"
    if seen.merges:
        yield f"{seen.merges} windows can be merged: `provision partitions merge {each.wanted.name}`"
    if seen.odd:
        more = f" and {len(seen.odd) - 3} more" if len(seen.odd) > 3 else ""
        names = ", ".join(window.name for window in seen.odd[:3])
        yield f"{names}{more}: not {each.wanted.interval} long"


def _size(count: int, seen: Forecast) -> Iterator[str]:
    """What is there, and how it grows."""
    if count and not seen.sized:
        yield f"holds {count} window{'' if count == 1 else 's'}; the server tells no sizes"
        return
    yield f"holds {_amount(Part(count, seen.rows, seen.bytes))}"
    if seen.monthly is None:
        yield "growth is not known: no window ended in the last three months"
    else:
        yield f"grows by {size(seen.monthly.bytes)} and ~{rows_of(seen.monthly.rows)} a month"


def as_json(each: SetStanding) -> dict[str, Any]:
    """The document of `partitions forecast`, for one table; docs/schemas/partitions_forecast.json."""
    known = standing_json(each)
    seen = forecast(each.wanted, each.found) if each.found is not None else None
    kept = ("name", "store", "table", "error", "needs", "default_rows", "gaps", "overlaps")
    until = each.coverage.until if each.coverage else None
    return {
        **{key: known[key] for key in kept},
        "runs_out": moment(until),
        "days_left": (until - each.found.now).days if until is not None and each.found is not None else None,
        "rows": seen.rows if seen else None,
        "bytes": seen.bytes if seen else None,
        "monthly_rows": seen.monthly.rows if seen and seen.monthly else None,
        "monthly_bytes": seen.monthly.bytes if seen and seen.monthly else None,
        "bytes_in_a_year": seen.in_a_year if seen else None,
        "retires": seen.retires._asdict() if seen else None,
        "mergeable": seen.merges if seen else 0,
        "odd": [window.name for window in seen.odd] if seen else [],
    }


def _amount(part: Part) -> str:
    return f"{part.windows} window{'' if part.windows == 1 else 's'}, ~{rows_of(part.rows)}, {size(part.bytes)}"
