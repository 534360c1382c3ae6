"""Reads Alembic revision files without importing them; what is not literal is left to Alembic itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from os.path import basename
from pathlib import Path

from provision.errors import ConfigError, raise_all
from provision.model import Revision, StoreOptions
from provision.stores.postgres.migrate import repeatable
from provision.stores.postgres.migrate.ini import has_own_locations
from provision.text.files import UNFILLED, checksum, described, names_inside, read_text, unfilled

_BODY = re.compile(r"^(?:def|class|@|async def)\b", re.MULTILINE)
# A head as `alembic revision` writes it, line by line; whatever is not like it is read by Python's own parser.
_LITERAL = r"""None|True|False|"[^"\\\n]*"|'[^'\\\n]*'"""
_ANNOTATION = r"(?:: *[\w.\[\], |]+)?"
_PLAIN = re.compile(
    r"""(?:\"{3}(?P<doc>[^"\\]*)\"{3}\n)?"""
    rf"(?:(?:#[^\n]*|(?:from [\w.]+ )?import [\w., ]+|[a-z_]+{_ANNOTATION} = (?:{_LITERAL})|)\n)*"
)
_SET = re.compile(rf"^([a-z_]+){_ANNOTATION} = ({_LITERAL})$", re.MULTILINE)
_NOT_REVISIONS = ("__init__", ".#")  # as Alembic has it; the second is an editor's lock file
_VALUES = {"None": None, "True": True, "False": False}
_NAMES = ("revision", "down_revision", "depends_on", "branch_labels", "requires", "destructive", *repeatable.LIMITS)
Header = dict[str, object]


class Computed(Exception):
    """Raised when a header is not made of literals."""


def revisions(options: StoreOptions) -> tuple[Revision, ...]:
    """Every revision of the script folder, then its repeatables.

    Raises ConfigError (not-utf8, empty-migration, bad-header).
    """
    repeatable.check_limits(options)
    return (*_versioned(options), *repeatable.revisions(options))


def _versioned(options: StoreOptions) -> tuple[Revision, ...]:
    if has_own_locations(options):
        return tuple(_through_alembic(options))
    found: list[Revision] = []
    errors: list[ConfigError] = []
    folder = options.path / "versions"
    shown = options.shown(folder)
    for name in names_inside(folder, "*.py", options.root):
        if name.startswith(_NOT_REVISIONS):
            continue
        try:
            found.append(_revision(options, f"{folder}/{name}", f"{shown}/{name}"))
        except Computed:
            return tuple(_through_alembic(options))
        except ConfigError as error:
            errors.append(error)
    if found and not (options.path / "env.py").is_file():
        errors.append(_no_env(options))
    raise_all(errors)
    if _names_others(found):
        return tuple(_through_alembic(options))
    return tuple(found)


def _no_env(options: StoreOptions) -> ConfigError:
    return ConfigError(
        "missing-env",
        f"{options.name} has revisions and no env.py",
        where=options.shown(options.path / "env.py"),
        fix="restore the file from version control, or take the one that `alembic init` writes elsewhere",
    )


def head(text: str) -> str:
    """The module up to its first function: all that a header needs, at a tenth of the cost of the whole."""
    body = _BODY.search(text)
    return text[: body.start()] if body else text


def _revision(options: StoreOptions, file: str, shown: str) -> Revision:
    text, name = read_text(file, shown), basename(file)
    if not text.strip():
        raise ConfigError("empty-migration", f"{name} is empty", where=shown, fix="write the revision or delete it")
    if UNFILLED in text and (begun := _unfilled(text)):
        raise unfilled(shown, f"{begun}() of {name}")
    header = _header(text, shown)
    number = header.get("revision")
    if not isinstance(number, str):
        raise ConfigError("bad-header", f"{name} sets no `revision`", where=shown, fix='add revision = "…" at the top')
    return _made(options, number, header, name.removesuffix(".py"), shown, text)


def _header(text: str, shown: str) -> Header:
    plain = _PLAIN.fullmatch(head(text))
    if plain is None:
        return _parsed(text, shown)
    pairs = _SET.findall(text, plain.end("doc") + 3 if plain["doc"] else 0, plain.end())
    found: Header = {name: _VALUES.get(value, value[1:-1]) for name, value in pairs if name in _NAMES}
    return {**found, "doc": plain["doc"] or ""}


def _parsed(text: str, shown: str) -> Header:
    try:
        tree = ast.parse(head(text))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        what = f"{basename(shown)} is not Python: {getattr(error, 'msg', None) or error}"
        raise ConfigError("bad-header", what, where=f"{shown}:{line}", fix="correct the line") from None
    found: Header = {"doc": ast.get_docstring(tree, clean=False) or ""}
    for name, value in (pair for node in tree.body for pair in _assigned(node)):
        if name in _NAMES:
            found[name] = _literal(value)
    return found


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Every name that a statement sets, with what it is set to; `a, b = 1, 2` sets two.

    Raises Computed for two names of one value that cannot be taken apart.
    """
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        if isinstance(target, ast.Name):
            yield target.id, node.value
        elif isinstance(target, ast.Tuple):
            names = [each.id if isinstance(each, ast.Name) else "" for each in target.elts]
            if isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(names):
                yield from zip(names, node.value.elts, strict=True)
            elif set(names) & set(_NAMES):
                raise Computed


def _unfilled(text: str) -> str | None:
    """The first function of which nothing but what `new` wrote is there."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None  # the header says so, with the line
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in ("upgrade", "downgrade"):
            body = text.split("\n")[node.lineno - 1 : node.end_lineno]
            if any(UNFILLED in line for line in body) and all(_says_nothing(each) for each in node.body):
                return node.name
    return None


def _says_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _literal(node: ast.expr) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise Computed from None


def _made(options: StoreOptions, number: str, header: Header, stem: str, shown: str, text: str) -> Revision:
    slug = _slug(stem, number)
    doc = str(header.get("doc", "")).strip().split("\n", 1)[0].strip().rstrip(".")
    return Revision(
        store=options.name,
        number=number,
        slug=slug,
        description=doc or described(slug),
        path=shown,
        checksum=checksum(text),
        parents=_ids(options.name, header.get("down_revision")),
        requires=(*_ids(options.name, header.get("depends_on")), *_elsewhere(options, shown, header.get("requires"))),
        destructive=header.get("destructive") is True,
        labels=_texts(header.get("branch_labels")),
        strict=options.extra.get("strict") in (True, "true"),
        limits=repeatable.limits_of(header, shown),
    )


def _elsewhere(options: StoreOptions, shown: str, value: object) -> tuple[str, ...]:
    """The ids of `requires`. Alembic must know what is of the same store, so that is refused."""
    named = _texts(value)
    for each in named:
        if each.startswith(f"{options.name}/"):
            raise ConfigError(
                "bad-header",
                f"{shown} requires {each} of its own store, which Alembic would not see",
                where=shown,
                fix=f'write depends_on = "{each.split("/", 1)[1]}" instead',
            )
    return named


def _names_others(found: Sequence[Revision]) -> bool:
    """True when `depends_on` names a branch or the beginning of an id, which Alembic can resolve."""
    known = {each.id for each in found}
    return any(need.startswith(f"{each.store}/") and need not in known for each in found for need in each.requires)


def _slug(stem: str, number: str) -> str:
    """What is left of a file name behind the revision's number; all of it where the number is not in it."""
    place = stem.rfind(f"_{number}")
    begin = place + 1 if place >= 0 else 0
    rest = stem[begin + len(number) :] if stem.startswith(number, begin) else stem
    return rest.removeprefix("_") or stem


def _texts(value: object) -> tuple[str, ...]:
    if value is None:  # most that a header names
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(str(each) for each in value) if isinstance(value, Sequence | set | frozenset) else ()


def _ids(store: str, value: object) -> tuple[str, ...]:
    return tuple(f"{store}/{each}" for each in _texts(value))


def _through_alembic(options: StoreOptions) -> Iterator[Revision]:
    from provision.stores.postgres.migrate import alembic as engine  # only for what is not literal: it loads Alembic

    for script in reversed(list(engine.scripts(options).walk_revisions())):
        path = Path(script.path)
        shown = options.shown(path)
        header: Header = {
            "doc": script.doc,
            "down_revision": script.down_revision,
            "depends_on": engine.dependencies(script),
            "branch_labels": tuple(sorted(script.branch_labels)),
            "requires": getattr(script.module, "requires", ()),
            "destructive": getattr(script.module, "destructive", False),
            **{name: getattr(script.module, name, None) for name in repeatable.LIMITS},
        }
        yield _made(options, script.revision, header, path.stem, shown, read_text(path, shown))
