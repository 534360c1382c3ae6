"""What `drift` found as one HTML page: each object that differs, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from provision.cli.render.html_page import escape, whole
from provision.flows.rehearsal import Difference, Drift
from provision.model.lint import LintFinding

_WORDS = {"missing": "is not there", "not-ours": "no revision makes it", "changed": "changed"}
_TONES = {"+": "pass", "-": "fail", " ": "dim"}
CONTEXT = 3


def page(project: str, environment: str, done: Drift) -> str:
    """Store by store what a database has otherwise than its snapshot says, and what would bring it back."""
    by_name = {(each.store, each.object): each for each in done.findings}
    title = f"{project} · {environment} · drift"
    parts = [
        f"<h1>{escape(title)}</h1>",
        '<div class="dim">− what schema/ says, + what the database has</div>',
        _sums(done),
        *(part for store in done.objects for part in _store(store, done, by_name)),
        *_rest("Not compared, no snapshot", done.left_out),
        *_rest("Written", done.written),
        *_rest("Not accepted", done.by_hand),
    ]
    return whole(title, "\n".join(parts))


def _sums(done: Drift) -> str:
    counts = {rule: sum(each.rule == rule for each in done.findings) for rule in _WORDS}
    boxes = [
        (sum(done.objects.values()), "objects compared", ""),
        (counts["changed"], "changed", "warn"),
        (counts["missing"], "missing", "fail"),
        (counts["not-ours"], "made by no revision", "warn"),
    ]
    made = (f'<div class="{tone if count else ""}"><b>{count:,}</b>{words}</div>' for count, words, tone in boxes)
    return f'<div class="sum">{"".join(made)}</div>'


def _store(store: str, done: Drift, by_name: dict[tuple[str, str], LintFinding]) -> Iterator[str]:
    mine = [each for each in done.differences if each.store == store]
    words = (
        f"{len(mine)} of {done.objects[store]:,} objects differ"
        if mine
        else f"{done.objects[store]:,} objects, all alike"
    )
    yield f"<h2>{escape(store)} <small>{words}</small></h2>"
    for each in mine:
        yield from _object(each, by_name.get((store, each.name)))


def _object(found: Difference, told: LintFinding | None) -> Iterator[str]:
    yield f"<details open><summary><b>{escape(found.name)}</b> "
    if told is not None:
        tone = "fail" if told.rule == "missing" else "warn"
        yield f'<span class="status {tone}">{_WORDS[told.rule]}</span> '
        yield f'<span class="dim">{escape(told.file)}:{told.line}</span>'
    lines = "\n".join(f'<span class="{_TONES[sign]}">{sign} {escape(line)}</span>' for sign, line in _lines(found))
    yield f'</summary><div class="wide"><pre>{lines}</pre></div>'
    if told is not None:
        yield f'<p class="dim">{escape(told.fix)}</p>'
    yield "</details>"


def _lines(found: Difference) -> Iterator[tuple[str, str]]:
    before, after = (text.split("\n") if text is not None else [] for text in (found.before, found.after))
    for line in list(difflib.unified_diff(before, after, n=CONTEXT, lineterm=""))[3:]:
        if line.startswith("@@"):
            yield " ", "…"
        elif line.strip():
            yield line[0], line[1:]


def _rest(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"<h2>{title}</h2>"
        yield f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in names)}</ul>"
