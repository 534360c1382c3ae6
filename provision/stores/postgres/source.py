"""Reads Alembic revision files without importing them; what is not literal is left to Alembic itself."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from provision.errors import ConfigError, raise_all
from provision.files import checksum, described, inside, read_text
from provision.model import Revision, StoreOptions

_BODY = re.compile(r"^(?:def|class|@|async def)\b", re.MULTILINE)
_NAMES = ("revision", "down_revision", "depends_on", "branch_labels", "requires", "destructive")
Header = dict[str, object]


class Computed(Exception):
    """Raised when a header is not made of literals."""


def revisions(options: StoreOptions) -> tuple[Revision, ...]:
    """Every revision of the script folder. Raises ConfigError (not-utf8, empty-migration, bad-header)."""
    if _has_own_locations(options):
        return tuple(_through_alembic(options))
    found: list[Revision] = []
    errors: list[ConfigError] = []
    for path in inside(options.path / "versions", "*.py"):
        if path.name == "__init__.py":
            continue
        try:
            found.append(_revision(options, path))
        except Computed:
            return tuple(_through_alembic(options))
        except ConfigError as error:
            errors.append(error)
    raise_all(errors)
    return tuple(found)


def ini(options: StoreOptions) -> Path | None:
    """The Alembic ini: key `ini`, else in the script folder, else beside provision.toml, else none."""
    if "ini" in options.extra:
        return options.root / str(options.extra["ini"])
    places = (options.path / "alembic.ini", options.root / "alembic.ini")
    return next((place for place in places if place.is_file()), None)


def head(text: str) -> str:
    """The module up to its first function: all that a header needs, at a tenth of the cost of the whole."""
    body = _BODY.search(text)
    return text[: body.start()] if body else text


def _revision(options: StoreOptions, path: Path) -> Revision:
    shown = options.shown(path)
    text = read_text(path, shown)
    if not text.strip():
        raise ConfigError(
            "empty-migration", f"{path.name} is empty", where=shown, fix="write the revision or delete it"
        )
    header = _header(text, path, shown)
    number = header.get("revision")
    if not isinstance(number, str):
        raise ConfigError(
            "bad-header", f"{path.name} sets no `revision`", where=shown, fix='add revision = "…" at the top'
        )
    return _made(options, number, header, path, text)


def _header(text: str, path: Path, shown: str) -> Header:
    try:
        tree = ast.parse(head(text))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ConfigError("bad-header", f"{path.name} is not Python: {error}", where=f"{shown}:{line}") from None
    found: Header = {"doc": ast.get_docstring(tree) or ""}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and target.id in _NAMES and value is not None:
                found[target.id] = _literal(value)
    return found


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise Computed from None


def _made(options: StoreOptions, number: str, header: Header, path: Path, text: str) -> Revision:
    slug = re.sub(rf"^(?:.*_)?{re.escape(number)}_?|^{re.escape(number)}", "", path.stem, count=1) or path.stem
    doc = str(header.get("doc", "")).strip().split("\n", 1)[0].strip().rstrip(".")
    return Revision(
        store=options.name,
        number=number,
        slug=slug,
        description=doc or described(slug),
        path=options.shown(path),
        checksum=checksum(text),
        parents=_ids(options.name, header.get("down_revision")),
        requires=(*_ids(options.name, header.get("depends_on")), *_texts(header.get("requires"))),
        destructive=header.get("destructive") is True,
        labels=_texts(header.get("branch_labels")),
        strict=options.extra.get("strict") in (True, "true"),
    )


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(each) for each in value) if isinstance(value, Sequence | set | frozenset) else ()


def _ids(store: str, value: object) -> tuple[str, ...]:
    return tuple(f"{store}/{each}" for each in _texts(value))


def _has_own_locations(options: StoreOptions) -> bool:
    place = ini(options)
    if place is None:
        return False
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(place, encoding="utf-8")
    section = parser["alembic"] if parser.has_section("alembic") else {}
    return any(section.get(key) for key in ("version_locations", "recursive_version_locations"))


def _through_alembic(options: StoreOptions) -> Iterator[Revision]:
    from provision.stores.postgres import engine

    for script in engine.scripts(options).walk_revisions():
        path = Path(script.path)
        text = read_text(path, options.shown(path))
        header: Header = {
            "doc": script.doc,
            "down_revision": script.down_revision,
            "depends_on": script.dependencies,
            "branch_labels": tuple(sorted(script.branch_labels)),
            "requires": getattr(script.module, "requires", ()),
            "destructive": getattr(script.module, "destructive", False),
        }
        yield _made(options, script.revision, header, path, text)
