"""One HTML page that needs nothing else: no script, no network, no font."""

from __future__ import annotations

import html
from pathlib import Path

from provision.errors import ConfigError, FailedError
from provision.text.visible import visible_lines

_STYLE = """
:root { color-scheme: light dark; --line: #d8dee4; --dim: #59636e; --pass: #1a7f37; --warn: #9a6700; --fail: #c62828;
  --paper: #fff; --ink: #1f2328; --tint: #f6f8fa }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --dim: #9198a1; --pass: #3fb950; --warn: #d29922;
  --fail: #f85149; --paper: #0d1117; --ink: #f0f6fc; --tint: #151b23 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 75rem; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem }
h2 small, .dim { color: var(--dim); font-weight: 400 } .dim { font-size: .85rem }
summary { cursor: pointer } summary h2 { display: inline-block }
pre { font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 .35rem;
  color: var(--dim) }
.sum { display: flex; gap: 1rem; margin: 1.25rem 0; flex-wrap: wrap }
.sum div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem 1.25rem; min-width: 6rem }
.sum b { display: block; font-size: 1.6rem; line-height: 1.2 }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
.checks .s { width: 4rem } .checks .v { width: 5rem } .checks th.n { width: 5.5rem } .checks th.t { width: 150px }
.checks .m { width: 22% } tr:has(+ .more) > td { border-bottom: 0 }
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


def whole(title: str, body: str) -> str:
    """The page around a body of HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>"
    )


def refuse_other(path: Path, of: str) -> None:
    """Raises ConfigError (unknown-report) for a report that is no page."""
    if path.suffix.lower() != ".html":
        what = f"no report of {of} ends in {path.suffix or 'nothing'}"
        raise ConfigError("unknown-report", what, where=str(path), fix="end it in .html")


def written(path: Path, text: str) -> None:
    """Write it to a file. Raises FailedError (report-lost)."""
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        what = f"the report could not be written: {(error.strerror or str(error)).lower()}"
        raise FailedError("report-lost", what, where=str(path), fix="choose another place") from None
