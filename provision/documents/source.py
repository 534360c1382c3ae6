"""The documents of a store on disk: read, checked beyond their schema, and turned into revisions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from provision.documents import Auto, Document, Irreversible, Operation, document_schema, read
from provision.documents.operation import OperationKind, World, operation_of
from provision.documents.outline import SUFFIXES
from provision.documents.walk import contradictions
from provision.errors import ConfigError, ProvisionError, Several, StatementFailed, raise_all
from provision.model import Direction, Revision, Step, StoreOptions
from provision.model.statements import Mark, Statement
from provision.text import files


def schema_of(title: str, operations: Mapping[str, OperationKind[Any]]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind's documents."""
    return document_schema(title, {name: kind.schema for name, kind in operations.items() if not kind.inner})


class Documents:
    """The documents of one store, read once. `world` makes the empty server that their operations are held against."""

    def __init__(
        self,
        options: StoreOptions,
        operations: Mapping[str, OperationKind[Any]],
        schema: Callable[[], Mapping[str, Any]],
        world: Callable[[], World] = World,
    ) -> None:
        self._options, self._operations, self._schema, self._world = options, operations, schema, world
        self._found: list[Document] | None = None
        self._by_id: dict[str, Document] = {}
        self._flat: list[Operation] = []  # every operation of every `up` in order, and where each document's begin
        self._starts: dict[str, int] = {}

    def all(self) -> Sequence[Document]:
        """Every document in order. Raises ConfigError, or Several, for everything that is wrong in any file."""
        if self._found is None:
            self._found = self._read()
            for each in self._found:
                self._by_id[f"{self._options.name}/{each.number}"] = each
                self._starts[each.number] = len(self._flat)
                self._flat += each.up
        return self._found

    def revisions(self) -> Sequence[Revision]:
        """Every document as a revision; its parent is the document before it. Raises as `all` does."""
        return [self._revision(each, before) for before, each in pairwise([None, *self.all()]) if each is not None]

    def of(self, revision: str) -> Document:
        """The document of a revision's id. Raises ConfigError (no-such-revision)."""
        self.all()
        if revision not in self._by_id:
            where = self._options.shown(self._options.path)
            raise ConfigError("no-such-revision", f"no file is {revision}", where=where)
        return self._by_id[revision]

    def using(self, names: Collection[str]) -> Sequence[str]:
        """Where an operation of these names is written, up or down: `file:line`, in order."""
        found = []
        for document in self.all():
            down = document.down if isinstance(document.down, tuple) else ()
            found += [f"{document.shown}:{each.line}" for each in (*document.up, *down) if each.name in names]
        return found

    def failed(self, what: str, statement: Statement, mark: Mark, fix: str) -> StatementFailed:
        """The error for a statement that was not carried out, with its line in its document."""
        return StatementFailed(
            what,
            number=mark.statement or 1,
            statement=statement.text,
            where=f"{self.of(mark.revision).shown}:{operation_of(statement).line}",
            fix=fix,
        )

    def operations(self, step: Step) -> Sequence[tuple[Operation, str | None]]:
        """What a step carries out, in order, and what each can lose. Raises ConfigError (irreversible)."""
        document = self.of(step.id)
        listed = self._written(document, step.direction)
        made = []
        for each, loss in zip(listed, self._losses(document, step.direction, listed), strict=True):
            for index, (name, body) in enumerate(self._operations[each.name].parts(each.body)):
                made.append((Operation(name, body, each.line, each.column), None if index else loss))
        return made

    def _losses(self, document: Document, direction: Direction, listed: Sequence[Operation]) -> list[str | None]:
        """What each of a document's operations can lose, given what the files before it made."""
        earlier = self._flat[: self._starts[document.number]]
        if direction is Direction.DOWN:
            earlier += document.up
        losses = []
        for each in listed:
            losses.append(self._operations[each.name].destructive(each.body, earlier))
            earlier.append(each)
        return losses

    def _revision(self, document: Document, before: Document | None) -> Revision:
        store = self._options.name
        return Revision(
            store=store,
            number=document.number,
            slug=document.slug,
            description=document.description,
            path=document.shown,
            checksum=document.checksum,
            parents=(f"{store}/{before.number}",) if before else (),
            requires=document.requires,
            destructive=any(self._losses(document, Direction.UP, document.up)),
            irreversible=document.down.reason if isinstance(document.down, Irreversible) else None,
            draft=document.draft,
        )

    def _written(self, document: Document, direction: Direction) -> Sequence[Operation]:
        if direction is Direction.UP:
            return document.up
        if isinstance(document.down, Irreversible):
            what = f"there is no way down: {document.down.reason}"
            raise ConfigError("irreversible", what, where=document.shown, fix="restore a backup")
        return document.down if not isinstance(document.down, Auto) else list(self._inverses(document))

    def _inverses(self, document: Document) -> Iterator[Operation]:
        for each in reversed(document.up):
            inverse = self._operations[each.name].inverse(each.body)
            if inverse is not None:
                yield Operation(*inverse, each.line, each.column)

    def _read(self) -> list[Document]:
        found: list[Document] = []
        errors: list[ProvisionError] = []
        wanted = self._schema()
        for path in files.inside(self._options.path, "*.y*ml", self._options.root):
            shown = self._options.shown(path)
            try:
                if path.suffix == ".yml":
                    fix = f"rename it to {path.stem}.yaml"
                    raise ConfigError("bad-filename", f"{path.name} ends in .yml", where=shown, fix=fix)
                found.append(read(path, shown, wanted))
            except Several as several:
                errors.extend(several.errors)
            except ProvisionError as error:
                errors.append(error)
        errors.extend(files.unread(self._options, SUFFIXES))
        found.sort(key=lambda each: (int(each.number), each.slug))
        errors.extend(_twice(found))
        errors.extend(error for each in found for error in self._problems(each))
        raise_all(errors or list(contradictions(found, self._operations, self._world())))
        return found

    def _problems(self, document: Document) -> Iterator[ProvisionError]:
        for side, listed in (("up", document.up), ("down", document.down)):
            for index, each in enumerate(listed if isinstance(listed, tuple) else ()):
                for problem in self._operations[each.name].problems(each.body):
                    yield document.wrong(problem.what, (side, index, each.name, *problem.path), problem.fix)
        if isinstance(document.down, Auto):
            for each in document.up:
                if self._operations[each.name].inverse(each.body) is None:
                    what = f"`down: auto` cannot undo {each.name} on line {each.line}"
                    yield document.wrong(what, ("down",), 'write `down` as a list, or `irreversible: "why"`')


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
