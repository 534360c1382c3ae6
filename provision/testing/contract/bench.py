"""A project of one store under test, moved through the public flow; its home is the store itself where it can be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from provision.core.plan import MoveRequest, Standings
from provision.flows.connect import Access, NoEngine, Site, open_site
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.flows.survey import survey
from provision.model import Direction, Event, EventKind, Owner, Plan, Report, RunEvent, StoreOptions
from provision.ports import Store
from provision.process import identity
from provision.settings import Environment, ProjectFile, Secret, StorePlace
from provision.testing.contract.case import Case
from provision.testing.fake_store import FakeServer, FakeStore

_RUNS = count(1)
UP = (EventKind.APPLIED, EventKind.ADOPTED)


class Bench:
    """`told` is what the watcher heard, `owner` who runs; `home_server` keeps the leases of a store that has none."""

    def __init__(self, case: Case, root: Path) -> None:
        self.case, self.root, self.folder = case, root, root / case.name
        self.folder.mkdir()
        self.home_server = FakeServer()
        self.told: list[RunEvent] = []
        self.hear: Callable[[RunEvent], None] = self.told.append
        case.write(self.folder)

    def options(self, project: str = "vfr") -> StoreOptions:
        return StoreOptions(self.case.name, self.case.kind, project, self.folder, self.root, self.case.extra)

    def project(self, name: str = "vfr", home: str | None = None) -> ProjectFile:
        own = StoreOptions("home", "fake", name, self.root / "none", self.root)
        return ProjectFile(self.root / "provision.toml", name, home or self.home, (own, self.options(name)), {})

    @property
    def home(self) -> str:
        return self.case.name if self.case.leases else "home"

    def build(self, options: StoreOptions) -> Store:
        return FakeStore(options, self.home_server) if options.name == "home" else self.case.build(options)

    @contextmanager
    def site(self, project: str = "vfr", access: Access = Access.WRITE) -> Iterator[Site]:
        places: Mapping[str, StorePlace] = {
            "home": StorePlace(Secret("fake://home")),
            self.case.name: StorePlace(Secret(self.case.url)),
        }
        environment = Environment("test", False, places)
        site = open_site(self.project(project), environment, self.build, lambda *_: NoEngine(), access)
        try:
            yield site
        finally:
            site.close()

    @contextmanager
    def store(self, project: str = "vfr") -> Iterator[Store]:
        """The store alone, open, its ledger made."""
        with self.site(project) as site:
            store = site.stores[self.case.name]
            store.prepare()
            store.ledger.create()
            yield store

    def up(self, wanted: MoveRequest | None = None, **rules: object) -> Report:
        return self._move(Direction.UP, wanted or MoveRequest(), rules)

    def down(self, wanted: MoveRequest | None = None, **rules: object) -> Report:
        return self._move(Direction.DOWN, wanted or MoveRequest(everything=True), {"allow_destructive": True, **rules})

    def events(self, project: str = "vfr") -> list[Event]:
        with self.site(project) as site:
            return list(site.stores[self.case.name].ledger.read())

    def standings(self) -> Standings:
        with self.site(access=Access.READ) as site:
            return survey(site)

    def net(self) -> dict[str, int]:
        """How often each revision was applied and not reverted, by its ledger."""
        found: dict[str, int] = {}
        for event in self.events():
            change = 1 if event.kind in UP else -1 if event.kind is EventKind.REVERTED else 0
            found[event.revision] = found.get(event.revision, 0) + change
        return found

    def _move(self, direction: Direction, wanted: MoveRequest, rules: Mapping[str, object]) -> Report:
        given: dict[str, object] = {"owner": passing_owner(), "wait": 5.0, **rules}
        with self.site() as site:
            return move(site, direction, wanted, Rules(**given), Listeners(self.hear, _ignored))  # type: ignore[arg-type]


def passing_owner() -> Owner:
    """An owner that is known to be dead as soon as anyone asks: a killed run is not waited for."""
    boot, namespace, _ = identity(os.getpid()).split()
    return Owner("ci@runner", os.getpid(), f"{boot} {namespace} 1", f"run {next(_RUNS)}")


def _ignored(_plan: Plan, _standings: Standings) -> None:
    """Nobody looks at the plan."""
