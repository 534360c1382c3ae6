"""What a kind of store is, and the parts that it may bring beside a `Store`: a file or an object each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from provision.errors import ConfigError
from provision.model import Finding, StoreOptions
from provision.ports import Store

if TYPE_CHECKING:
    from provision.model.diagram import Diagram
    from provision.model.statements import Found
    from provision.model.stats import StoreStats
    from provision.ports.lint import Costs, LintReader, Trial
    from provision.ports.touches import TouchReader

OWN = "provision.stores."
"""What the packages of provision's own kinds begin with."""


class Layout(Protocol):
    """`setup/layout.py`: the folder of migrations. FOLDER is its usual place, FILES a pattern within."""

    FOLDER: str
    FILES: str

    def found(self, root: Path) -> Mapping[str, str] | None:
        """The store's keys for a folder that is there already, or None. Raises ConfigError."""

    def holds(self, folder: Path) -> bool:
        """Whether migrations of this kind can go into the folder as it is: its templates or files are there."""

    def start(self, root: Path, folder: str, store: str) -> Sequence[Path]:
        """Make the new `folder` of a store, named from `root`, and return the files written. Raises OSError."""


class Draft(Protocol):
    """`setup/draft.py`: writes the next migration file."""

    def write(self, options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
        """Write the next file and return what was written. Raises ConfigError and OSError."""


class Suggest(Protocol):
    """`setup/suggest.py`: writes the migration that gives columns a constant, in the place of a backfill."""

    def write(
        self, options: StoreOptions, table: str, constants: Sequence[tuple[str, str, str]], requires: Sequence[str]
    ) -> Sequence[Path]:
        """`constants` are column, type and value of each. Raises as `Draft.write`."""


class LiveReader(Protocol):
    """`setup/live.py`: reads a server's objects as documents would make them."""

    def found(self, options: StoreOptions, url: str) -> Sequence[Found]:
        """In an order in which they can be applied. Reads only. Raises UnreachableError, ConfigError."""


Objects = Mapping[str, str]
"""Kind and name of each object of a store → its definition, the same wherever the same is made."""


class SnapshotReader(Protocol):
    """`setup/snapshot.py`: what a database is made of, to be compared. NEW, where there is one, is what a new
    database holds: objects, or kinds of them."""

    def taken(self, options: StoreOptions, url: str) -> Objects:
        """Without rows, and without what is provision's or the peer's own. Raises UnreachableError, ConfigError."""


class StatsReader(Protocol):
    """`setup/stats.py`: how much a database holds."""

    def measured(self, options: StoreOptions, url: str) -> StoreStats:
        """Rows, sizes and writes, as far as they can be told without reading the rows.

        Raises CapabilityMissing where this server tells nothing, UnreachableError, ConfigError.
        """


class DiagramReader(Protocol):
    """`setup/diagram.py`: the tables of a database, and what refers to what."""

    def drawn(self, options: StoreOptions, url: str) -> Diagram:
        """Reads only. Raises UnreachableError, ConfigError."""


class Change(NamedTuple):
    """How an object becomes another: `statements` in their order, or `by_hand`, why none can. `within` is the object
    whose change brings this one along."""

    object: str
    statements: tuple[str, ...]
    by_hand: str = ""
    within: str = ""


class Changes(Protocol):
    """`setup/changes.py`: from one snapshot to another, as the files of this kind would say it."""

    def changes(self, before: Objects, after: Objects) -> Sequence[Change]:
        """One for each object that differs, in an order in which they can be carried out. Reaches no server."""

    def write(
        self, options: StoreOptions, message: str, up: Sequence[Change], down: Sequence[Change]
    ) -> Sequence[Path]:
        """Write the next migration, which makes the changes where they are not made yet. Raises as `Draft.write`."""


class Schema(Protocol):
    """`setup/schema.py`: what a migration document may hold."""

    def schema(self) -> Mapping[str, Any]:
        """As JSON Schema 2020-12."""


class Health(Protocol):
    """`setup/health.py`: what `doctor` asks a server."""

    def look(self, options: StoreOptions, url: str, *, home: bool) -> Sequence[Finding]:
        """What was found. Reads only. Raises UnreachableError and ConfigError as opening the store does."""


class BackfillKeys(Protocol):
    """`backfill/batches.py`: the keys of this kind's backfills besides the common ones, as JSON Schemas by name.

    REQUIRED names those that must be there. CODE and CODE_REQUIRED are the same for backfills written in Python, in
    kinds that have them.
    """

    KEYS: Mapping[str, Mapping[str, Any]]
    REQUIRED: tuple[str, ...]


class CheckKinds(Protocol):
    """`validate/checks.py`: KINDS are the JSON Schemas of the bodies of the kinds of check that a store makes by name,
    TABLE those of the keys that a table may have besides the common ones."""

    KINDS: Mapping[str, Mapping[str, Any]]
    TABLE: Mapping[str, Mapping[str, object]]


class PartitionKeys(Protocol):
    """`partitions/keys.py`: the keys of this kind's partitioned tables besides the common ones, as JSON Schemas."""

    KEYS: Mapping[str, Mapping[str, Any]]


class JobKinds(Protocol):
    """`maintain/keys.py`: the kinds of job of maintain.yaml that this kind of store knows, as JSON Schemas by name."""

    KINDS: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of store: the object `KIND` of its package, found through the entry point group `provision.stores`.

    `name` is what provision.toml says, `title` what people say. `driver` must be importable, and the optional
    dependency `extra` brings it. `keys` are those of `[stores.NAME]` that only this kind has, with the type of their
    values: str, bool, int or dict. `folder` is where its migrations are unless `path` says otherwise. `can_be_home`: it
    keeps the run lock. `engine` is the module whose `LocalServer` runs a server on this machine, `engine_package` the
    distribution that brings it, `program` what must be on PATH for it. `other_engines` are those of other generations:
    the kind's name with the number that a store's key `version` says → module and program.
    """

    name: str
    title: str
    package: str
    build: Callable[[StoreOptions], Store]
    driver: str
    extra: str = ""
    folder: str = ""
    keys: Mapping[str, type] = field(default_factory=dict)
    can_be_home: bool = False
    engine: str = ""
    engine_package: str = ""
    program: str = ""
    other_engines: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def usual_folder(self) -> str:
        """Where its migrations are, from the project's root, unless a store says otherwise."""
        return self.folder or self.name

    def layout(self) -> Layout | None:
        return cast("Layout | None", self.part("setup.layout"))

    def draft(self) -> Draft | None:
        return cast("Draft | None", self.part("setup.draft"))

    def suggest(self) -> Suggest | None:
        return cast("Suggest | None", self.part("setup.suggest"))

    def live(self) -> LiveReader | None:
        return cast("LiveReader | None", self.part("setup.live"))

    def snapshot(self) -> SnapshotReader | None:
        return cast("SnapshotReader | None", self.part("setup.snapshot"))

    def diagram(self) -> DiagramReader | None:
        return cast("DiagramReader | None", self.part("setup.diagram"))

    def stats(self) -> StatsReader | None:
        return cast("StatsReader | None", self.part("setup.stats"))

    def costs(self) -> Costs | None:
        return cast("Costs | None", self.part("lint.cost"))

    def changes(self) -> Changes | None:
        return cast("Changes | None", self.part("setup.changes"))

    def trial(self) -> Trial | None:
        return cast("Trial | None", self.part("lint.trial"))

    def schema(self) -> Schema | None:
        return cast("Schema | None", self.part("setup.schema"))

    def health(self) -> Health | None:
        return cast("Health | None", self.part("setup.health"))

    def backfill_keys(self) -> BackfillKeys | None:
        return cast("BackfillKeys | None", self.part("backfill.batches"))

    def check_kinds(self) -> CheckKinds | None:
        return cast("CheckKinds | None", self.part("validate.checks"))

    def partition_keys(self) -> PartitionKeys | None:
        return cast("PartitionKeys | None", self.part("partitions.keys"))

    def job_kinds(self) -> JobKinds | None:
        return cast("JobKinds | None", self.part("maintain.keys"))

    def lint(self) -> LintReader | None:
        """What `lint/reader.py` calls READER, made."""
        found = self.part("lint.reader")
        return None if found is None else cast("LintReader", found.READER())

    def touches(self) -> TouchReader | None:
        return cast("TouchReader | None", self.part("lint.touches"))

    def given(self, _part: str) -> object | None:
        """The part as an object, for a kind that needs no file for it; None leaves it to the file, if there is one."""
        return None

    def has(self, part: str) -> bool:
        """Whether there is a part such as `setup.schema`; loads no more than the package of the room.

        Raises as `part` does.
        """
        return self.given(part) is not None or bool(self._loaded(part, _is_there))

    def part(self, name: str) -> Any:
        """What is given, else the module of a part such as `validate.checks`; None: a missing part is a missing file.

        Raises ConfigError (kind-broken) for one of another package that cannot be loaded.
        """
        found = self.given(name)
        if found is not None:
            return found
        return self._loaded(name, lambda module: import_module(module) if _is_there(module) else None)

    def _loaded(self, part: str, load: Callable[[str], object]) -> Any:
        module = f"{self.package}.{part}"
        try:
            return load(module)
        except Exception as error:  # somebody else's package may raise anything
            if self.package.startswith(OWN):
                raise
            what = f"a part of stores of kind {self.name} cannot be loaded: {error}"
            fix = "correct the part; or remove the file, and stores of that kind do without it"
            raise ConfigError("kind-broken", what, where=module, fix=fix) from error


@cache
def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError as error:  # the room itself is not there
        if error.name is not None and module.startswith(error.name):
            return False
        raise
