"""Reads YAML into plain values with the line and column of each, and turns nothing into what its author did not write.

Only `true`, `false`, `null`, and decimal numbers are more than text: `24h`, `2026-01-01`, `1_000`, `012`, `on` and
`no` stay strings, as values and as keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from provision.errors import ConfigError, ProvisionError, raise_all

Place = tuple[int, int]
Path = tuple[str | int, ...]

# A document that grows beyond this is an accident or an attack, by its aliases above all.
MOST_VALUES = 100_000

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at import: libyaml's where it is there
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (the name is PyYAML's)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+(?:e[-+]?[0-9]+)?$"), list("-0123456789")
)

_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": {"true": True, "false": False}.__getitem__,
    "tag:yaml.org,2002:null": dict.fromkeys(("null", "~", "")).__getitem__,
}
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def parse(
    text: str, shown: str, *, keys: str = "description, up and down"
) -> tuple[dict[str, Any], Mapping[Path, Place]]:
    """The mapping that the text holds, and where each value (of a mapping: its key) stands, counted from 1.

    Raises ConfigError (bad-yaml, empty-migration, document-invalid), or Several.
    """
    root = _composed(text, shown)
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value == ""):
        raise ConfigError(
            "empty-migration",
            "the file holds no operations",
            where=shown,
            fix="write its `up` and `down`, or delete the file",
        )
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            "document-invalid",
            "the file is not a mapping of keys",
            where=f"{shown}:{root.start_mark.line + 1}:{root.start_mark.column + 1}",
            fix=f"begin it with the keys {keys}",
        )
    walk = _Walk(shown)
    value = walk.value(root, (), ())
    raise_all(walk.errors)
    return value, walk.places


def _composed(text: str, shown: str) -> yaml.Node | None:
    loader = None
    try:
        loader = _Loader(text)
        node: yaml.Node | None = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _bad_yaml(error, text, shown) from None
    finally:
        if loader is not None:
            loader.dispose()
    return node


def _bad_yaml(error: yaml.YAMLError, text: str, shown: str) -> ConfigError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        # A character YAML does not allow: the reader knows its offset only.
        return ConfigError("bad-yaml", f"not YAML: {str(error).splitlines()[0]}", where=shown, fix="remove it")
    mark = error.problem_mark
    lines = text.split("\n")
    where = f"{shown}:{mark.line + 1}:{mark.column + 1}"
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return ConfigError("bad-yaml", "the line is indented with a tab", where=where, fix="indent with spaces")
    if error.problem == "but found another document":
        fix = "put what follows into a file of its own"
        return ConfigError("bad-yaml", "the file holds more than one document", where=where, fix=fix)
    problem = (error.problem or "it cannot be read").replace("\n", " ")
    context = f" {error.context.strip()}" if error.context else ""
    return ConfigError("bad-yaml", f"not YAML: {problem}{context}", where=where, fix="correct the line")


class _Walk:
    """Turns nodes into values, notes where they stand, and collects what is wrong with them."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.places: dict[Path, Place] = {}
        self.errors: list[ProvisionError] = []
        self.count = 0
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> Any:
        self.count += 1
        self.seen.add(id(node))
        aliased = len(self.seen) < self.count
        if id(node) in above or (aliased and self.count > MOST_VALUES):
            raise self._wrong(node, "an alias makes the file endless", "write the value out")
        if self.count > MOST_VALUES:
            what = f"the file holds more than {MOST_VALUES:,} values"
            raise self._wrong(node, what, "divide it into several files")
        self.places.setdefault(path, _place(node))
        inner = (*above, id(node))
        if isinstance(node, yaml.MappingNode) and node.tag in _COLLECTIONS:
            return self._mapping(node, path, inner)
        if isinstance(node, yaml.SequenceNode) and node.tag in _COLLECTIONS:
            return [self.value(each, (*path, index), inner) for index, each in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        # A tag that its author wrote can be unknown, or contradict the value.
        try:
            return _SCALARS[node.tag](node.value)
        except (KeyError, ValueError, TypeError):
            self.errors.append(self._wrong(node, f"the tag {node.tag} means nothing here", "remove the tag"))
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path, above: tuple[int, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.errors.append(self._wrong(key, "a key must be text", "write one word before the colon"))
                continue
            name = key.value
            if name in made:
                first = self.places[(*path, name)]
                what = f"{name} is given twice, first on line {first[0]}"
                self.errors.append(self._wrong(key, what, "keep one of them"))
                continue
            self.places[(*path, name)] = _place(key)
            made[name] = self.value(child, (*path, name), above)
        return made

    def _wrong(self, node: yaml.Node, what: str, fix: str) -> ConfigError:
        line, column = _place(node)
        return ConfigError("document-invalid", what, where=f"{self.shown}:{line}:{column}", fix=fix)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1
