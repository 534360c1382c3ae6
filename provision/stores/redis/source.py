"""The documents of a Redis store on disk: read, checked beyond their schema, and turned into revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from provision import documents, files
from provision.documents import Auto, Document, Irreversible, Operation
from provision.errors import ConfigError, ProvisionError, Several, raise_all
from provision.model import Direction, Revision, StoreOptions
from provision.stores.redis.operations import OPERATIONS
from provision.stores.redis.patterns import families_overlap
from provision.stores.redis.schema import schema


def read_all(options: StoreOptions) -> list[Document]:
    """Every document in order. Raises ConfigError, or Several, for everything that is wrong in any file."""
    found: list[Document] = []
    errors: list[ProvisionError] = []
    wanted = schema()
    for path in files.inside(options.path, "*.y*ml"):
        shown = options.shown(path)
        try:
            if path.suffix == ".yml":
                raise ConfigError(
                    "bad-filename", f"{path.name} ends in .yml", where=shown, fix=f"rename it to {path.stem}.yaml"
                )
            found.append(documents.read(path, shown, wanted))
        except Several as several:
            errors.extend(several.errors)
        except ProvisionError as error:
            errors.append(error)
    found.sort(key=lambda each: (int(each.number), each.slug))
    errors.extend(_twice(found))
    errors.extend(error for each in found for error in _problems(each))
    raise_all(errors or list(_colliding(found)))
    return found


def revision_of(options: StoreOptions, document: Document, before: Document | None) -> Revision:
    """The revision that a document is; its parent is the document before it."""
    own = f"{options.name}/{document.number}"
    parent = f"{options.name}/{before.number}" if before else own
    return Revision(
        store=options.name,
        number=document.number,
        slug=document.slug,
        description=document.description,
        path=document.shown,
        checksum=document.checksum,
        parents=() if parent == own else (parent,),
        requires=document.requires,
        destructive=any(OPERATIONS[each.name].destructive(each.body) for each in document.up),
        irreversible=document.down.reason if isinstance(document.down, Irreversible) else None,
    )


def operations_of(document: Document, direction: Direction) -> Sequence[Operation]:
    """The operations of one direction in order. Raises ConfigError (irreversible)."""
    if direction is Direction.UP:
        return document.up
    if isinstance(document.down, Irreversible):
        raise ConfigError(
            "irreversible",
            f"there is no way down: {document.down.reason}",
            where=document.shown,
            fix="restore a backup",
        )
    return document.down if not isinstance(document.down, Auto) else list(_inverses(document))


def _inverses(document: Document) -> Iterator[Operation]:
    for each in reversed(document.up):
        inverse = OPERATIONS[each.name].inverse(each.body)
        if inverse is not None:
            yield Operation(*inverse, each.line, each.column)


def _twice(found: Sequence[Document]) -> Iterator[ProvisionError]:
    """`2_a.yaml` and `0002_b.yaml` are one number to people, and an order by chance."""
    for before, after in pairwise(found):
        if int(before.number) == int(after.number):
            yield ConfigError(
                "duplicate-id",
                f"2 files have the number {int(after.number)}",
                where=f"{before.shown}, {after.shown}",
                fix="give one of them the next free number",
            )


def _problems(document: Document) -> Iterator[ProvisionError]:
    for side, listed in (("up", document.up), ("down", document.down)):
        for index, each in enumerate(listed if isinstance(listed, tuple) else ()):
            for problem in OPERATIONS[each.name].problems(each.body):
                yield document.wrong(problem.what, (side, index, each.name, problem.key), problem.fix)
    if isinstance(document.down, Auto):
        for each in document.up:
            if OPERATIONS[each.name].inverse(each.body) is None:
                what = f"`down: auto` cannot undo {each.name} on line {each.line}"
                yield document.wrong(what, ("down",), 'write `down` as a list, or `irreversible: "why"`')


def _colliding(found: Sequence[Document]) -> Iterator[ProvisionError]:
    """Key families that could share a key, as the documents would leave them one after another."""
    there: dict[str, tuple[str, str]] = {}
    for document in found:
        for index, each in enumerate(document.up):
            if each.name == "drop_key_family":
                there.pop(each.body["name"], None)
            if each.name != "key_family":
                continue
            name, pattern = each.body["name"], each.body["pattern"]
            for other, (shown, theirs) in there.items():
                if other == name or families_overlap(pattern, theirs):
                    what = f"key family {name} ({pattern}) overlaps {other} ({theirs}) of {shown}"
                    yield document.wrong(
                        what, ("up", index, "key_family"), "change a segment so that no key is in both"
                    )
            there[name] = f"{document.shown}:{each.line}", pattern
