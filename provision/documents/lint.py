"""Documents as lint reads them: a unit for each operation of the way up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence

from provision.documents import Document
from provision.documents.source import Documents
from provision.model import Revision, StoreOptions
from provision.model.lint import Place, Script, Unit, World, always
from provision.ports.lint import shown
from provision.text.files import read_text


class DocumentReader(ABC):
    """`provision.ports.lint.LintReader` of a kind whose migrations are documents; a kind adds its plain files."""

    needs: Sequence[str] = ()
    reads: Collection[str] = ()

    @abstractmethod
    def documents(self, options: StoreOptions) -> Documents:
        """The documents of a store's folder."""

    @abstractmethod
    def units(self, text: str, file: str) -> Sequence[Unit]:
        """What a plain file does."""

    def expanded(self, unit: Unit) -> Sequence[Unit]:
        """What an operation does that holds statements as text; the operation itself for every other."""
        return (unit,)

    def scripts(self, options: StoreOptions, revisions: Sequence[Revision]) -> Sequence[Script]:
        documents = self.documents(options)
        made = []
        for each in revisions:
            file, path = shown(options, each)
            units = (unit for one in _units(documents.of(each.id), file) for unit in self.expanded(one))
            made.append(Script(file, read_text(path, file), tuple(units), irreversible=each.irreversible))
        return made

    def plain(self, files: Mapping[str, str]) -> Sequence[Script]:
        return [Script(file, text, tuple(self.units(text, file))) for file, text in files.items()]

    def world(self) -> World:
        return World()


def _units(document: Document, file: str) -> Iterator[Unit]:
    lasts = [each.line - 1 for each in document.up[1:]]
    for index, each in enumerate(document.up):
        begin = ("up", index, each.name)
        inside = {path[3:]: Place(*place) for path, place in document.places.items() if path[:3] == begin}
        place = Place(each.line, each.column)
        last = lasts[index] if index < len(lasts) else max((one.line for one in inside.values()), default=each.line)
        yield Unit(each.name, each.body, "", file, place, max(last, each.line), always(place), places=inside)
