"""Reads Alembic revision files without importing them; what is not literal is left to Alembic itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from os.path import basename, join
from pathlib import Path

from provision.errors import ConfigError, raise_all
from provision.model import Revision, StoreOptions
from provision.stores.postgres.migrate import repeatable
from provision.stores.postgres.migrate.header import Computed, Header, header
from provision.stores.postgres.migrate.locations import NOT_REVISIONS, needs_alembic, nothing_read
from provision.text.files import UNFILLED, checksum, described, names_inside, read_text

_NAMED_ONLY = re.compile(r"([a-f0-9]+)\.py")  # Alembic takes it for the number where a file sets none


def revisions(options: StoreOptions) -> tuple[Revision, ...]:
    """Every revision of the script folder, then its repeatables.

    Raises ConfigError (not-utf8, empty-migration, bad-header, alembic-refused, nothing-read).
    """
    repeatable.check_limits(options)
    return (*_versioned(options), *repeatable.revisions(options))


def _versioned(options: StoreOptions) -> tuple[Revision, ...]:
    found = _through_alembic(options) if needs_alembic(options) else _literally(options)
    if not found:
        raise_all(list(nothing_read(options)))
    return found


def _literally(options: StoreOptions) -> tuple[Revision, ...]:
    """The revisions of the folder `versions`, none imported where every header is made of literals."""
    found: list[Revision] = []
    errors: list[ConfigError] = []
    folder = options.path / "versions"
    shown = options.shown(folder)
    for name in names_inside(folder, "*.py", options.root, hidden=True):
        if name.startswith(NOT_REVISIONS):
            continue
        try:
            found.append(_revision(options, f"{folder}/{name}", f"{shown}/{name}"))
        except Computed:
            return _through_alembic(options)
        except ConfigError as error:
            errors.append(error)
    if found and not (options.path / "env.py").is_file():
        errors.append(_no_env(options))
    raise_all(errors)
    if _names_others(found):
        return _through_alembic(options)
    return tuple(found)


def _no_env(options: StoreOptions) -> ConfigError:
    return ConfigError(
        "missing-env",
        f"{options.name} has revisions and no env.py",
        where=options.shown(options.path / "env.py"),
        fix="restore the file from version control, or take the one that `alembic init` writes elsewhere",
    )


def _revision(options: StoreOptions, file: str, shown: str) -> Revision:
    text, name = read_text(file, shown), basename(file)
    if not text.strip():
        raise ConfigError("empty-migration", f"{name} is empty", where=shown, fix="write the revision or delete it")
    head = header(text, shown)
    number = head.get("revision") or (_NAMED_ONLY.fullmatch(name) or {1: None})[1]
    if not isinstance(number, str):
        raise ConfigError("bad-header", f"{name} sets no `revision`", where=shown, fix='add revision = "…" at the top')
    return _made(options, number, head, name.removesuffix(".py"), shown, text)


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
        runs=None if "strict" in options.extra else _Digest(join(options.root, shown)),
        limits=repeatable.limits_of(header, shown),
        draft=f"{begun}() of {basename(shown)}" if UNFILLED in text and (begun := _unfilled(text)) else "",
    )


class _Digest:
    """What a file runs, as `runs.of_file` digests it; asked once, for an `up` asks ahead of when it writes it down."""

    __slots__ = ("_found", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: str | None = None

    def __call__(self) -> str:
        if self._found is None:
            from provision.stores.postgres.migrate import runs  # most runs never ask

            self._found = runs.of_file(self._path)
        return self._found


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


def _through_alembic(options: StoreOptions) -> tuple[Revision, ...]:
    """The revisions as Alembic reads them: it imports every file, in a process of its own."""
    from provision.stores.postgres.migrate import apart

    read = apart.ask("provision.stores.postgres.migrate.alembic:read", options)
    made = []
    for number, place, head in read:
        path = Path(place)
        shown = options.shown(path)
        made.append(_made(options, number, head, path.stem, shown, read_text(path, shown)))
    return tuple(made)
