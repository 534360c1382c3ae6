"""The result of a validation as one HTML page that needs nothing else: no script, no network, no font."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence

from provision.cli.render.paper import moment, rows_of
from provision.flows.validate import Validation
from provision.model.checks import MIN_ROWS, Result, Row, Status, StoredResult
from provision.text.visible import visible_lines

SHOWN_RUNS = 30
_WORDS = {Status.PASS: "passed", Status.WARN: "warned", Status.FAIL: "failed", Status.ERROR: "not made"}
_STYLE = """
:root { color-scheme: light dark; --line: #d8dee4; --dim: #59636e; --pass: #1a7f37; --warn: #9a6700; --fail: #c62828;
  --paper: #fff; --ink: #1f2328; --tint: #f6f8fa }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --dim: #9198a1; --pass: #3fb950; --warn: #d29922;
  --fail: #f85149; --paper: #0d1117; --ink: #f0f6fc; --tint: #151b23 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 75rem; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; font-weight: 600 }
h3 small, .dim { color: var(--dim); font-weight: 400 }
.sum { display: flex; gap: 1rem; margin: 1.25rem 0; flex-wrap: wrap }
.sum div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem 1.25rem; min-width: 6rem }
.sum b { display: block; font-size: 1.6rem; line-height: 1.2 }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--dim); font-size: .85rem }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.pass { color: var(--pass) } .warn { color: var(--warn) } .fail, .error { color: var(--fail) }
.status { font-weight: 600; white-space: nowrap }
.new { border: 1px solid currentColor; border-radius: 999px; padding: 0 .5rem; font-size: .75rem; margin-left: .5rem }
.wide { overflow-x: auto; background: var(--tint) } .wide table { font: 13px/1.4 ui-monospace, monospace; width: auto;
  table-layout: auto }
.wide td, .wide th { white-space: nowrap }
svg { display: block } td { overflow-wrap: anywhere }
"""


def escape(text: str) -> str:
    return html.escape(visible_lines(text))


def page(project: str, found: Validation, earlier: Sequence[StoredResult]) -> str:
    """The whole page; `earlier` are results of earlier runs, newest first, for the trends."""
    run = found.run
    title = f"{project} · {run.environment} · {', '.join(suite.name for suite in found.suites)}"
    scope = f" · {run.scope}" if run.scope else ""
    body = "\n".join(
        (
            f"<h1>{escape(title)}</h1>",
            f'<div class="dim">{moment(run.at)}{escape(scope)} · {found.duration_ms} ms · {escape(run.actor)}</div>',
            _sums(found),
            *(f'<div class="dim">{escape(note)}</div>' for note in found.notes),
            *(part for suite in found.suites for part in _suite(found, suite.name, suite.description, earlier)),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>"
    )


def _sums(found: Validation) -> str:
    counts = [(status, sum(each.status is status for each in found.results)) for status in Status]
    cells = [
        f'<div class="{status if count else "dim"}"><b>{count}</b>{_WORDS[status]}</div>' for status, count in counts
    ]
    return f'<div class="sum">{"".join(cells)}</div>'


def _suite(found: Validation, name: str, description: str, earlier: Sequence[StoredResult]) -> Iterator[str]:
    yield f"<h2>{escape(name)}</h2>"
    if description:
        yield f'<div class="dim">{escape(description)}</div>'
    rows: list[str] = []
    for each in found.of(name):
        if each.kind == MIN_ROWS:
            if rows:
                yield _table(rows)
            rows = []
            place = f"{each.store} · {each.table}" if each.store else "all tables"
            yield f"<h3>{escape(place)} <small>{rows_of(each.total)} · {each.duration_ms} ms</small></h3>"
        rows.append(_row(each, _before(each, found, earlier)))
        if each.samples:
            rows.append(f'<tr><td></td><td colspan="6"><div class="wide">{_samples(each.samples)}</div></td></tr>')
    if rows:
        yield _table(rows)


def _table(rows: Sequence[str]) -> str:
    head = (
        '<tr><th style="width: 4rem">status</th><th style="width: 17rem">check</th>'
        '<th style="width: 5rem">severity</th>'
        '<th class="n" style="width: 5rem">bad</th><th class="n" style="width: 6rem">of</th>'
        '<th style="width: 150px">trend</th><th></th></tr>'
    )
    return f"<table><thead>{head}</thead><tbody>\n{chr(10).join(rows)}\n</tbody></table>"


def _row(each: Result, before: Sequence[StoredResult]) -> str:
    new = '<span class="new fail">new</span>' if each.new else ""
    return (
        f'<tr data-check="{escape(each.check)}" data-status="{each.status}">'
        f'<td class="status {each.status}">{each.status}</td><td>{escape(each.check)}{new}</td>'
        f'<td>{each.severity}</td><td class="n">{each.bad:,}</td><td class="n">{each.total:,}</td>'
        f'<td class="t">{_chart(each, before)}</td><td>{escape(each.message)}</td></tr>'
    )


def _samples(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ("".join(f"<td>{escape(_text(row[name])) if name in row else ''}</td>" for name in names) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _before(each: Result, found: Validation, earlier: Sequence[StoredResult]) -> list[StoredResult]:
    """The last runs of the same check over the same rows, oldest first, without this one."""
    key = (each.suite, each.check, each.store, each.table)
    same = [
        kept
        for kept in earlier
        if (kept.result.suite, kept.result.check, kept.result.store, kept.result.table) == key
        and (kept.run.environment, kept.run.scope) == (found.run.environment, found.run.scope)
        and kept.run.id != found.run.id
    ]
    return list(reversed(same[: SHOWN_RUNS - 1]))


def _chart(each: Result, before: Sequence[StoredResult]) -> str:
    """A bar for each run, this one last; as high as its bad rows (of a table itself: its rows)."""
    runs = [(f"{kept.run.at:%Y-%m-%d %H:%M} UTC", kept.result) for kept in before] + [("now", each)]
    values = [one.total if one.kind in (MIN_ROWS, "volume") else one.bad for _, one in runs]
    most, width = max(*values, 1), 5
    bars = []
    for place, ((when, one), value) in enumerate(zip(runs, values, strict=True)):
        height = max(1.0, value / most * 22)
        bars.append(
            f'<rect x="{place * width}" y="{24 - height:.1f}" width="{width - 1}" height="{height:.1f}"'
            f' fill="var(--{"fail" if one.status is Status.ERROR else one.status})">'
            f"<title>{when}: {value:,}</title></rect>"
        )
    label = f"{each.check}: {len(runs)} runs, {values[-1]:,} now"
    return (
        f'<svg width="{SHOWN_RUNS * width}" height="24" role="img" aria-label="{escape(label)}">{"".join(bars)}</svg>'
    )
