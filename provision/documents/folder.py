"""The folder of a kind's documents: found where there is one, else made; and the next document in it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from provision.documents import Found
from provision.model import StoreOptions
from provision.text.files import inside, slug

FILES = "*.yaml"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ,.()/_-]*")
_TEXT = """\
{schema}description: {description}
{requires}
# One operation a dash; each says what must be there afterwards. `provision schema {kind}` lists them all.
up:
{example}
# `auto` undoes what create_* and the like made; else a list like `up`, or {{irreversible: "why"}}.
down: auto
"""


def found(root: Path, folder: str) -> Mapping[str, str] | None:
    """The key `path` when documents lie in `root` already, or None."""
    return {"path": folder} if holds(root / folder) else None


def holds(folder: Path) -> bool:
    """Whether documents lie in the folder."""
    return any(folder.glob("[0-9]*_*.yaml"))


def start(root: Path, folder: str) -> Sequence[Path]:
    """Make the empty folder. Raises OSError."""
    keep = root / folder / ".gitkeep"
    keep.parent.mkdir(parents=True, exist_ok=True)
    keep.touch()
    return [keep]


def write(options: StoreOptions, message: str, requires: Sequence[str], example: str) -> Sequence[Path]:
    """Write `NNNN_slug.yaml` with `example` in it, commented out, and return its path.

    Raises ConfigError (bad-message) and OSError.
    """
    text = _TEXT.format(
        schema=header(options),
        kind=options.kind,
        description=plain(message),
        requires=f"requires: [{', '.join(requires)}]" if requires else "# requires: [postgres/0001]",
        example=example,
    )
    return [write_next(options, message, text)]


def write_found(options: StoreOptions, found: Found) -> Path:
    """Write what a live server holds as the next document. Raises ConfigError (bad-message) and OSError."""
    listed = [{name: dict(body)} for name, body in found.operations]
    notes = [f"left out: {line}" for line in found.left_out] + [f"fill in: {line}" for line in found.to_fill]
    said = "".join(f"# {note}\n" for note in notes)
    head = f"{header(options)}description: {plain(found.message)}\n{said}"
    down: object = {"irreversible": found.irreversible} if found.irreversible else "auto"
    text = f"{head}\n{_yaml({'up': listed})}\n{_yaml({'down': down})}"
    return write_next(options, found.message, text)


def write_next(options: StoreOptions, message: str, text: str) -> Path:
    """Write the text under the next free number. Raises ConfigError (bad-message) and OSError."""
    name = slug(message)
    numbers = [path.name.split("_", 1)[0] for path in inside(options.path, "*.y*ml", options.root)]
    width = max((len(number) for number in numbers), default=4)
    number = max((int(each) for each in numbers if each.isdigit()), default=0) + 1
    path = options.path / f"{number:0{width}d}_{name}.yaml"
    options.path.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path


def header(options: StoreOptions) -> str:
    """The line that tells editors where the schema of the kind is, where the project has one; else nothing."""
    return schema_line(options.root, options.path, options.kind)


def schema_line(root: Path, folder: Path, name: str) -> str:
    """The same for a document in a folder, of the schema of that name."""
    schema = root / f"docs/schemas/{name}.json"
    if not schema.is_file():
        return ""
    return f"# yaml-language-server: $schema={Path(os.path.relpath(schema, folder)).as_posix()}\n"


def plain(text: str) -> str:
    """The text as YAML reads it back."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _yaml(value: object) -> str:
    """Block style, keys in their order, texts of several lines as they are."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _data: object) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
