"""A kind whose migrations are documents: where they lie, how the next one begins, and what it may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from provision.documents import folder
from provision.model import StoreOptions
from provision.ports.kind import Kind


@dataclass(frozen=True, slots=True)
class DocumentKind(Kind):
    """`example` are some operations as they are written below `up:`, commented out, for the next document.

    Its package has the function `schema` in its module `files`.
    """

    example: str = ""

    def given(self, part: str) -> object | None:
        match part:
            case "setup.layout":
                return DocumentLayout(self.usual_folder)
            case "setup.draft":
                return DocumentDraft(self.example)
            case "setup.changes":
                from provision.documents.changes import DocumentChanges  # asked for by `drift` alone

                return DocumentChanges(self.package)
            case "setup.schema":
                return DocumentSchema(f"{self.package}.files")
        return None


class DocumentLayout:
    """The folder of documents: found where there is one, else made."""

    FILES = folder.FILES

    def __init__(self, usual: str) -> None:
        self.FOLDER = usual

    def found(self, root: Path) -> Mapping[str, str] | None:
        """The key `path` when documents lie in `root` already, or None."""
        return folder.found(root, self.FOLDER)

    def holds(self, place: Path) -> bool:
        """Whether documents lie in the folder."""
        return folder.holds(place)

    def start(self, root: Path, place: str, _store: str) -> Sequence[Path]:
        """Make the empty folder. Raises OSError."""
        return folder.start(root, place)


class DocumentDraft(NamedTuple):
    """Writes the next document, commented so that it can be filled without looking anything up."""

    example: str

    def write(self, options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
        """Write `NNNN_slug.yaml` and return its path. Raises ConfigError (bad-message) and OSError."""
        return folder.write(options, message, requires, self.example)


class DocumentSchema(NamedTuple):
    """Loads the operations of a kind when its schema is asked for: that takes longer than the kind itself."""

    module: str

    def schema(self) -> Mapping[str, Any]:
        """As JSON Schema 2020-12."""
        made: Mapping[str, Any] = import_module(self.module).schema()
        return made
