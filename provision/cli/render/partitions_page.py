"""Windows and forecasts as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from provision.cli.render.forecast import lines
from provision.cli.render.html_page import escape, whole
from provision.cli.render.partitions import between, rows, size
from provision.flows.partitions import SetStanding
from provision.model.partitions import Window

WIDTH = 320  # pixels of the longest bar


def page(project: str, environment: str, found: Sequence[SetStanding]) -> str:
    """Each table with its forecast and its windows, those that need somebody first."""
    title = f"{project} · {environment} · partitions"
    at = next((each.found.now for each in found if each.found is not None), datetime.now(UTC))
    tables = (part for each in sorted(found, key=lambda each: not each.needs) for part in _table(each))
    return whole(
        title, "\n".join([f"<h1>{escape(title)}</h1>", f'<div class="dim">{at:%Y-%m-%d %H:%M} UTC</div>', *tables])
    )


def _table(each: SetStanding) -> Iterator[str]:
    wanted = each.wanted
    about = escape(f"{wanted.store}, {wanted.interval} a window")
    yield f"<h2>{escape(wanted.table)} <small>{about}</small></h2>"
    said = (f'<div class="{"fail" if wrong else "dim"}">{escape(text)}</div>' for text, wrong in lines(each))
    yield "".join(said)
    windows = each.found.windows if each.found is not None else ()
    if windows:
        most = max(window.bytes for window in windows) or 1
        head = '<tr><th>window</th><th>from, to</th><th class="n">rows</th><th class="n">size</th><th></th></tr>'
        yield f"<table>{head}{''.join(_row(window, most) for window in windows)}</table>"


def _row(window: Window, most: int) -> str:
    bar = f'<rect width="{WIDTH * window.bytes // most}" height="14" fill="currentColor"/>'
    state = "" if window.state == "attached" else f' <span class="warn">{window.state}</span>'
    cells = [f"{escape(window.name)}{state}", escape(between(window.bounds))]
    numbers = "".join(f'<td class="n">{escape(each)}</td>' for each in (rows(window), size(window.bytes)))
    shown = "".join(f"<td>{each}</td>" for each in cells)
    return f'<tr>{shown}{numbers}<td><svg width="{WIDTH}" height="14">{bar}</svg></td></tr>'
