"""The result of a validation as one HTML page that needs nothing else: no script, no network, no font."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from provision.cli.render.html_page import escape, whole
from provision.cli.render.paper import moment
from provision.flows.validate import Validation
from provision.model.checks import MIN_ROWS, Check, Result, Row, Status, StoredResult

SHOWN_RUNS = 30
_Key = tuple[str, str, str, str]
_WORDS = {
    Status.FAIL: "failed",
    Status.ERROR: "not made",
    Status.WARN: "warned",
    Status.EMPTY: "empty",
    Status.PASS: "passed",
}


def page(project: str, found: Validation, earlier: Sequence[StoredResult]) -> str:
    """The whole page, what failed first; `earlier` are results of earlier runs, newest first, for the trends."""
    run = found.run
    title = f"{project} · {run.environment} · {', '.join(suite.name for suite in found.suites)}"
    scope = f" · {run.scope}" if run.scope else ""
    trends = _trends(found, earlier)
    body = "\n".join(
        (
            f"<h1>{escape(title)}</h1>",
            f'<div class="dim">{moment(run.at)}{escape(scope)} · {found.duration_ms} ms · {escape(run.actor)}</div>',
            _sums(found),
            *(f'<div class="dim">{escape(note)}</div>' for note in found.notes),
            *_groups(found, trends),
        )
    )
    return whole(title, body)


def _sums(found: Validation) -> str:
    counts = [(status, sum(each.status is status for each in found.results)) for status in _WORDS]
    cells = [
        f'<div class="{status if count else "dim"}"><b>{count}</b>{_WORDS[status]}</div>' for status, count in counts
    ]
    return f'<div class="sum">{"".join(cells)}</div>'


def _groups(found: Validation, trends: Mapping[_Key, Sequence[StoredResult]]) -> Iterator[str]:
    """A table for each group, those that want somebody first; what passed and what was empty is folded."""
    checks = {
        (suite.name, check.name, table.store, table.name): check
        for suite in found.suites
        for table in suite.tables
        for check in table.checks
    }
    worst_first = sorted(found.results, key=lambda each: -each.severity.rank)
    for group, title, folded in _GROUPS:
        mine = [each for each in worst_first if _group(each, found) == group]
        if not mine:
            continue
        told = title.format(level=found.fail_on)
        rows = [_row(each, trends.get(_key(each), ()), found, checks.get(_key(each))) for each in mine]
        table = _table(rows)
        if folded:
            yield f"<details><summary><h2>{told} <small>{len(mine)}</small></h2></summary>{table}</details>"
        else:
            yield f"<h2>{told} <small>{len(mine)}</small></h2>{table}"


_GROUPS = (
    ("fails", "Failed", False),
    ("error", "Not made", False),
    ("below", "Failed below --fail-on {level}", False),
    (Status.WARN, "Warned", False),
    (Status.EMPTY, "Empty", True),
    (Status.PASS, "Passed", True),
)


def _group(each: Result, found: Validation) -> str:
    if each.status is Status.FAIL:
        return "fails" if found.fails_run(each) else "below"
    return str(each.status)


def _table(rows: Sequence[str]) -> str:
    head = (
        '<tr><th class="s">status</th><th>check</th><th class="v">severity</th><th class="n">bad</th>'
        '<th class="n">of</th><th class="t">trend</th><th class="m"></th></tr>'
    )
    return f'<table class="checks"><thead>{head}</thead><tbody>\n{chr(10).join(rows)}\n</tbody></table>'


def _row(each: Result, before: Sequence[StoredResult], found: Validation, check: Check | None) -> str:
    fails = str(found.fails_run(each)).lower()
    new = '<span class="new fail">new</span>' if each.new else ""
    place = (
        " · ".join(filter(None, (each.suite, each.store, each.table))) if each.store else f"{each.suite} · all tables"
    )
    owner = f" · owner {escape(each.owner)}" if each.owner else ""
    told = f"<pre>{escape(expression(check))}</pre>" if check is not None else ""
    samples = f'<div class="wide">{_samples(each.samples)}</div>' if each.samples else ""
    below = f'<tr class="more"><td></td><td colspan="6">{told}{samples}</td></tr>' if told or samples else ""
    return (
        f'<tr data-check="{escape(each.check)}" data-status="{each.status}" data-fails="{fails}">'
        f'<td class="status {each.status}">{each.status}</td>'
        f'<td><b>{escape(each.check)}</b>{new}<div class="dim">{escape(place)}{owner}</div></td>'
        f'<td>{each.severity}</td><td class="n">{each.bad:,}</td><td class="n">{each.total:,}</td>'
        f'<td class="t">{_chart(each, before)}</td><td>{escape(each.message)}</td></tr>{below}'
    )


def expression(check: Check) -> str:
    """What a check looks for: an expression or query as it was written, else its kind and body."""
    body = check.body
    if isinstance(body, Mapping) and isinstance(body.get("sql"), str):
        expected = json.dumps(body.get("expect", {"rows": "none"}), ensure_ascii=False)
        return f"{body['sql'].strip()}\nexpect: {expected}"
    if check.kind == "bad":
        return f"bad: {str(body).strip()}"
    return f"{check.kind}: {json.dumps(body, ensure_ascii=False)}"


def _samples(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = ("".join(f"<td>{escape(_text(row[name])) if name in row else ''}</td>" for name in names) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _text(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    bare = value.lstrip(" ")
    return "\u00a0" * (len(value) - len(bare)) + bare  # the steps of a plan keep their place


def _key(each: Result) -> _Key:
    return each.suite, each.check, each.store, each.table


def _trends(found: Validation, earlier: Sequence[StoredResult]) -> Mapping[_Key, Sequence[StoredResult]]:
    """The last runs of each check over the same rows, oldest first, without this one."""
    trends: dict[_Key, list[StoredResult]] = {}
    for kept in earlier:
        alike = (kept.run.environment, kept.run.scope) == (found.run.environment, found.run.scope)
        mine = trends.setdefault(_key(kept.result), [])
        if alike and kept.run.id != found.run.id and len(mine) < SHOWN_RUNS - 1:
            mine.insert(0, kept)
    return trends


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
