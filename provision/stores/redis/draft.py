"""Writes the next document of a Redis store, commented so that it can be filled without looking anything up."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from provision.files import inside, slug
from provision.model import StoreOptions

SCHEMA = Path("docs/schemas/redis.json")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,.()/_-]*")
_TEXT = """\
{schema}description: {description}
{requires}
# One operation a dash; each says what must be there afterwards. `provision schema redis` lists them all.
up:
#  - create_stream: {{name: app:stream:orders, maxlen: 10000}}
#  - create_group: {{stream: app:stream:orders, name: billing, start: 0}}

# `auto` undoes what create_* and key_family made; else a list like `up`, or {{irreversible: "why"}}.
down: auto
"""


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write `NNNN_slug.yaml` and return its path. Raises ConfigError (bad-message) and OSError."""
    name = slug(message)
    numbers = [path.name.split("_", 1)[0] for path in inside(options.path, "*.y*ml")]
    width = max((len(number) for number in numbers), default=4)
    number = max((int(each) for each in numbers if each.isdigit()), default=0) + 1
    path = options.path / f"{number:0{width}d}_{name}.yaml"
    options.path.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(_text(options, message, requires))
    return [path]


def _text(options: StoreOptions, message: str, requires: Sequence[str]) -> str:
    found = options.root / SCHEMA
    place = Path(*[".."] * len(options.path.relative_to(options.root).parts)) / SCHEMA if found.is_file() else None
    return _TEXT.format(
        schema=f"# yaml-language-server: $schema={place.as_posix()}\n" if place else "",
        description=message if _PLAIN.fullmatch(message) else json.dumps(message, ensure_ascii=False),
        requires=f"requires: [{', '.join(requires)}]" if requires else "# requires: [postgres/0001]",
    )
