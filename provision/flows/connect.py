"""Brings a project's stores up in one environment: files read, servers reached, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from provision.core import source
from provision.core.graph import Graph
from provision.core.standing import StoreStanding
from provision.errors import CapabilityMissing, ConfigError, ProvisionError, UnreachableError, for_each, raise_all
from provision.model import Contact, Direction, StoreOptions
from provision.ports import Leases, Store
from provision.settings import Environment, ProjectFile
from provision.text.nearest import nearest
from provision.threads import Call

Build = Callable[[StoreOptions], Store]
T = TypeVar("T")
R = TypeVar("R")


class Access(StrEnum):
    READ = "read"  # an embedded engine that was never made stays unmade
    WRITE = "write"


class Reach(StrEnum):
    """What became of reaching a store."""

    READY = "ready"
    ABSENT = "absent"  # an embedded engine not made yet
    NOT_CONFIGURED = "not_configured"
    OFF = "off"
    UNREACHABLE = "unreachable"
    LEFT_OUT = "left_out"  # `--only` named others, and they do not stand on it


class EngineAddress(Protocol):
    """What an embedded engine says once it runs."""

    @property
    def url(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...


class StartableEngine(Protocol):
    """An embedded engine, as much of it as a connection needs."""

    def start(self) -> EngineAddress: ...
    def start_existing(self) -> EngineAddress | None: ...


class NoEngine(NamedTuple):
    """That a store has no embedded engine here, and what would give it one; empty where nothing does."""

    advice: str = ""


Engines = Callable[[StoreOptions, Path], StartableEngine | NoEngine]  # store, .provision → its engine


class Reached(NamedTuple):
    """One store, reached or not; `label` and `place` name the engine and where it is, for people."""

    store: Store
    reach: Reach
    label: str = ""
    place: str = ""
    error: ProvisionError | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A project in one environment, its files in order, its stores reached."""

    project: ProjectFile
    environment: Environment
    graph: Graph
    reached: Mapping[str, Reached] = field(default_factory=dict)
    outlined: frozenset[str] = frozenset()
    """The stores whose files were not read whole: what their revisions lose is not known."""
    standings: Mapping[str, StoreStanding] | None = None
    """Where they stand, if that was looked at already."""
    look: Callable[[str], None] = field(default=lambda _: None)
    """Reaches the server of a store once more, on a connection of its own. Raises ProvisionError."""

    @property
    def stores(self) -> dict[str, Store]:
        """The stores that answer."""
        return {name: each.store for name, each in self.reached.items() if each.reach is Reach.READY}

    @property
    def known(self) -> dict[str, Store]:
        """The stores whose state is known: those that answer, and engines not made yet."""
        ok = (Reach.READY, Reach.ABSENT)
        return {name: each.store for name, each in self.reached.items() if each.reach in ok}

    def whole(self) -> Site:
        """The site with every file read. Raises every ConfigError that any file has, together."""
        if not self.outlined:
            return self
        stores = [each.store for each in self.reached.values()]
        graph = _here(source.read(stores, self.project.many_heads), self.project, self.environment)
        return replace(self, graph=graph, outlined=frozenset(), standings=None)

    def close(self) -> None:
        for each in self.reached.values():
            each.store.close()


def placed(project: ProjectFile, environment: Environment) -> tuple[StoreOptions, ...]:
    """The stores with what the environment says of them besides the url: TLS, cluster, variables filled in."""
    return tuple(
        replace(options, extra={**options.extra, **environment.places[options.name].extra})
        for options in project.stores
    )


def build_all(stores_of: Iterable[StoreOptions], build: Build) -> list[Store]:
    """Every store, none connected. Raises ConfigError (missing-extra) for all that lack one."""
    stores, errors = [], []
    for options in stores_of:
        try:
            stores.append(build(options))
        except ProvisionError as error:
            errors.append(error)
    raise_all(errors)
    return stores


def open_site(
    project: ProjectFile,
    environment: Environment,
    build: Build,
    engines: Engines,
    access: Access,
    *,
    only: frozenset[str] = frozenset(),
    narrow: Direction | None = None,
    tolerant: bool = False,
    outlined: bool = False,
) -> Site:
    """Read every file, where that is enough `outlined`, then reach every store at once.

    With `narrow`, the direction of a move, only the stores that a move of those in `only` must know, and the home
    store. Raises ConfigError and UnreachableError for all stores together; with `tolerant`, a store that does not
    answer is reported in its place instead.
    """
    known_stores(project, only)
    stores = build_all(placed(project, environment), build)
    read = source.outline if outlined else _read_whole
    graph, names = read(stores, project.many_heads)
    graph = _here(graph, project, environment)
    left_out = _left_out(graph, project, only, narrow)
    wanted = [each for each in stores if each.name not in left_out]
    reached = together(wanted, lambda store: reach(store, project, environment, engines, access, graph))
    reached += [Reached(each, Reach.LEFT_OUT) for each in stores if each.name in left_out]
    errors = [each.error for each in reached if each.error is not None]
    errors += _shared_versions(reached)
    if tolerant and all(isinstance(error, UnreachableError) for error in errors):
        errors = []
    if errors:
        for each in reached:
            each.store.close()
        if names:
            source.read(stores, project.many_heads)  # what is wrong with a file is told first
    raise_all(errors)
    looking = partial(_look, project, environment, build, engines)
    return Site(project, environment, graph, {each.store.name: each for each in reached}, names, look=looking)


def _look(project: ProjectFile, environment: Environment, build: Build, engines: Engines, name: str) -> None:
    """Reach the server of a store as a run does that begins."""
    store = build(next(each for each in placed(project, environment) if each.name == name))
    try:
        store.open(url_of(store, project, environment, engines))
    finally:
        store.close()


def _here(graph: Graph, project: ProjectFile, environment: Environment) -> Graph:
    """The graph of this environment: without what may be forgone and is off, options that were not chosen marked.

    Raises ConfigError (no-such-revision) for an option of a revision that is not there: it would be passed by nowhere.
    """
    named = frozenset().union(*project.options.values())
    for each in sorted(each for each in named - graph.revisions.keys() if graph.of(each.split("/", 1)[0])):
        where = f"{project.file}, [stores.{each.split('/', 1)[0]}] options"
        fix = "write the number as its file has it"
        raise ConfigError("no-such-revision", f"no revision is called {each}", where=where, fix=fix)
    off = frozenset(name for name, place in environment.places.items() if place.off)
    optional = [ids for option, ids in project.options.items() if option not in environment.options]
    return graph.here({store: named & off for store, named in project.forgoes.items()}, frozenset().union(*optional))


def _left_out(graph: Graph, project: ProjectFile, only: frozenset[str], narrow: Direction | None) -> frozenset[str]:
    needed = graph.stores_for(only, narrow) if only and narrow is not None else None
    if needed is None:
        return frozenset()
    return frozenset(each.name for each in project.stores) - needed - {project.home}


def _read_whole(stores: Sequence[Store], many_heads: Iterable[str]) -> tuple[Graph, frozenset[str]]:
    return source.read(stores, many_heads), frozenset()


def _shared_versions(reached: Iterable[Reached]) -> list[ProvisionError]:
    """Stores whose peers would write the same table: each would take the other's revisions for its own."""
    there = [each.store for each in reached if each.reach is Reach.READY and each.store.peer is not None]
    pairs = [(one, other) for at, one in enumerate(there) for other in there[at + 1 :] if one.kind == other.kind]
    return [_sharing(one, other) for one, other in pairs if _versions(one) == _versions(other)]


def _versions(store: Store) -> str:
    assert store.peer is not None
    return store.peer.where


def _sharing(one: Store, other: Store) -> ConfigError:
    return ConfigError(
        "shared-versions",
        f"{one.name} and {other.name} keep their versions in one table: {_versions(one)}",
        where=f"[stores.{one.name}], [stores.{other.name}]",
        fix="correct the url of one of them, or give it a version_table of its own",
    )


def together(items: Sequence[T] | Iterable[T], work: Callable[[T], R]) -> list[R]:
    """`work` on every item at the same time, results in order. Raises every ProvisionError together.

    What a handler of signals raises in this thread leaves at once: a server that is silent is not waited for.
    """
    calls = [Call(partial(work, item), "together") for item in items]
    for call in calls:
        call.done(None)
    return for_each(calls, lambda call: call.result())


def known_stores(project: ProjectFile, only: frozenset[str]) -> None:
    """Raises ConfigError (unknown-store) for a name that the project does not have."""
    names = [options.name for options in project.stores]
    for name in sorted(only):
        if name not in names:
            raise ConfigError(
                "unknown-store",
                f"no store is called {name!r}",
                where=project.file.name,
                fix=nearest(name, names),
            )


def reach(
    store: Store, project: ProjectFile, environment: Environment, engines: Engines, access: Access, graph: Graph
) -> Reached:
    """Reach one store; what went wrong is in `error`, never raised."""
    place = environment.places[store.name]
    if place.off:
        return Reached(store, Reach.OFF)
    try:
        if place.url is not None:
            url = place.url.reveal()
            return _opened(store, store.open(url), url, environment)
        if environment.embedded:
            return _embedded(store, project, engines, access)
        if graph.of(store.name):
            raise ConfigError(
                "no-url",
                f"{store.name} has revisions, but no url in environment {environment.name}",
                where=f"{project.file.name}, [environments.{environment.name}]",
                fix=f'set {store.name}.url; "off" leaves the store out',
            )
    except ProvisionError as error:
        if error.code == "bad-url":
            error.where = f"{project.file.name}, [environments.{environment.name}] {store.name}.url"
        reach = Reach.UNREACHABLE if isinstance(error, UnreachableError) else Reach.NOT_CONFIGURED
        return Reached(store, reach, error=error)
    return Reached(store, Reach.NOT_CONFIGURED, place=f"set {store.name}.url")


def leases_of(home: str, stores: Mapping[str, Store]) -> Leases:
    """The leases of the home store. Raises CapabilityMissing."""
    found = stores[home].leases
    if found is None:
        others = [name for name, store in stores.items() if store.leases is not None]
        named = " or ".join(others) or "a store that can, such as PostgreSQL or Redis,"
        fix = f"name {named} in [project] home, or run with --no-lock"
        raise CapabilityMissing(home, "run lock", f"stores of kind {stores[home].kind} cannot keep one", fix)
    return found


def url_of(store: Store, project: ProjectFile, environment: Environment, engines: Engines) -> str:
    """The url of a store, an embedded engine's once it was made; empty where there is none. Makes nothing."""
    place = environment.places[store.name]
    if place.url is not None:
        return place.url.reveal()
    engine = _engine(store, project, engines) if environment.embedded and not place.off else NoEngine()
    running = None if isinstance(engine, NoEngine) else engine.start_existing()
    return (running.url if running is not None else None) or ""


def _engine(store: Store, project: ProjectFile, engines: Engines) -> StartableEngine | NoEngine:
    return engines(next(each for each in project.stores if each.name == store.name), project.local)


def _embedded(store: Store, project: ProjectFile, engines: Engines, access: Access) -> Reached:
    engine = _engine(store, project, engines)
    if isinstance(engine, NoEngine):
        advice = f" or {engine.advice}" if engine.advice else ""
        return Reached(store, Reach.NOT_CONFIGURED, place=f"set {store.name}.url{advice}")
    place = f"{project.local.name}/{store.name}"
    running = engine.start() if access is Access.WRITE else engine.start_existing()
    if running is None:
        return Reached(store, Reach.ABSENT, "embedded", place)
    contact = store.open(running.url or "")
    return Reached(store, Reach.READY, f"embedded {contact.version}", place)


def _opened(store: Store, contact: Contact, url: str, environment: Environment) -> Reached:
    return Reached(store, Reach.READY, f"{contact.engine} {contact.version}", environment.mask(_bare(url)))


def _bare(url: str) -> str:
    """The url without user, password and options."""
    head = url.split("?", 1)[0]
    scheme, _, rest = head.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
