"""The pages of the documentation: in the package where it was installed from a wheel, else in the clone around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from provision.errors import ConfigError
from provision.text.files import read_text
from provision.text.nearest import nearest

_PACKAGE = Path(__file__).parents[1]
INDEX = "README"
_ROW = re.compile(r"^\| \[([\w-]+)\.md\]\(\1\.md\) \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


@cache
def folder() -> Path:
    """Where the pages are. Raises ConfigError (no-pages)."""
    for each in (_PACKAGE / "docs", _PACKAGE.parent / "docs"):
        if (each / f"{INDEX}.md").is_file():
            return each
    what = "the pages are not there: this installation left them out"
    raise ConfigError("no-pages", what, where=str(_PACKAGE), fix="pip install --force-reinstall provision-toolkit")


def listed() -> Mapping[str, str]:
    """Name → what the page answers, in the order of the index."""
    index = read_text(folder() / f"{INDEX}.md", INDEX)
    return {name: _LINK.sub(r"\1", answers) for name, answers in _ROW.findall(index)}


def text(name: str) -> str:
    """The Markdown of a page; `.md` may follow its name. Raises ConfigError (no-such-page, no-pages)."""
    known = listed()
    wanted = name.removesuffix(".md").removeprefix("docs/").lower()
    if wanted not in known:
        what = f"no page is called {name!r}"
        raise ConfigError("no-such-page", what, where="provision docs", fix=nearest(wanted, list(known)))
    return read_text(folder() / f"{wanted}.md", wanted)


def of_rule(rule: str) -> str:
    """The Markdown of the page of a rule of `lint`. Raises ConfigError (no-such-rule, no-pages)."""
    pages = folder() / "lint"
    if not re.fullmatch(r"[\w-]+", rule) or not (pages / f"{rule}.md").is_file():
        known = [each.stem for each in sorted(pages.glob("*.md"))]
        raise ConfigError("no-such-rule", f"no rule is called {rule!r}", where="--explain", fix=nearest(rule, known))
    return read_text(pages / f"{rule}.md", rule)
