"""Looks at everything a run depends on; writes nothing and never raises for what it can report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from provision.core.graph import Graph
from provision.core.ledger import fold
from provision.core.source import read
from provision.core.standing import stand
from provision.errors import ProvisionError, Several, UnreachableError
from provision.flows.connect import Access, Build, Engines, Reach, Reached, build_all, placed, reach, together, url_of
from provision.flows.file_trial import failing
from provision.flows.partitions import standings
from provision.flows.peers import lost
from provision.model import RUN_LOCK, Direction, Finding, Owner, Severity, Step, StoreOptions
from provision.model.partitions import PartitionSet
from provision.ports import Store
from provision.ports.partitions import Partitioned
from provision.settings import Environment, ProjectFile
from provision.text.files import unfilled

# kind → what looks at a server of it: options, url, whether it is the home store
Look = Callable[[StoreOptions, str, bool], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Checkup:
    """Everything that was found; `unreachable` when a store did not answer."""

    findings: tuple[Finding, ...]
    unreachable: bool = False

    @property
    def wrong(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.findings)


def examine(
    project: ProjectFile,
    environment: Environment,
    build: Build,
    engines: Engines,
    looks: Callable[[str], Look | None],
    dead: Callable[[Owner], bool],
    windows: Sequence[PartitionSet] = (),
) -> Checkup:
    """Look at the files, then at every store at the same time; `windows` are its partitioned tables."""
    try:
        stores = build_all(placed(project, environment), build)
    except ProvisionError as error:
        return Checkup(tuple(problems(error, "packages", project.file.name)))
    found, graph = _files(project, stores)
    options = {each.name: each for each in placed(project, environment)}

    def one(store: Store) -> tuple[list[Finding], bool]:
        try:
            reached = reach(store, project, environment, engines, Access.READ, graph)
            home = project.home == store.name
            findings = [*_tried(store, graph, open=reached.reach is Reach.READY)]
            findings += _reached(reached) or [
                *_server(reached, options[store.name], url_of(store, project, environment, engines), looks, home=home),
                *_ledger(store),
                *_versions(store, graph),
                *_statements(store),
                *_windows(store, windows),
                *(_lease(store, dead) if home else ()),
            ]
            return findings, isinstance(reached.error, UnreachableError)
        finally:
            store.close()

    results = together(stores, one)
    found += [finding for findings, _ in results for finding in findings]
    return Checkup(tuple(found), any(silent for _, silent in results))


def problems(error: ProvisionError, rule: str, place: str) -> Iterator[Finding]:
    """An error, or each of several, as findings."""
    for each in error.errors if isinstance(error, Several) else (error,):
        message = each.what if not each.where or each.where == place else f"{each.what} ({each.where})"
        yield Finding(rule, Severity.ERROR, place, message, each.fix)


def _revisions(number: int) -> str:
    return f"{number} revision{'' if number == 1 else 's'}"


def _files(project: ProjectFile, stores: Sequence[Store]) -> tuple[list[Finding], Graph]:
    try:
        graph = read(stores, project.many_heads)
    except ProvisionError as error:
        return list(problems(error, "files", "files")), Graph(())
    counts = ", ".join(f"{len(graph.of(store.name))} of {store.name}" for store in stores)
    found = [Finding("files", Severity.FINE, "files", f"{_revisions(len(graph.order))} can be ordered: {counts}")]
    for each in graph.order:
        if each.draft:
            draft = unfilled(each.path, each.draft)
            found.append(Finding("files", Severity.WARNING, "files", f"{draft.what} ({draft.where})", draft.fix))
    return found, graph


def _reached(reached: Reached) -> list[Finding]:
    """What to say of a store that is not there to be looked at; nothing for one that is."""
    name = reached.store.name
    if reached.error is not None:
        return list(problems(reached.error, "reach", name))
    if reached.reach is Reach.ABSENT:
        return [Finding("reach", Severity.FINE, name, "embedded engine, not made yet: the first `up` makes it")]
    if reached.reach is Reach.READY:
        return []
    return [Finding("reach", Severity.FINE, name, reached.reach.replace("_", " "))]


def _server(
    reached: Reached, options: StoreOptions, url: str, looks: Callable[[str], Look | None], *, home: bool
) -> list[Finding]:
    answered = f"{reached.label} answers at {reached.place}"
    found = [Finding("reach", Severity.FINE, options.name, answered)]
    try:
        look = looks(options.kind)
        found += [_unseen(options)] if look is None else look(options, url, home)
    except ProvisionError as error:
        found += problems(error, "server", options.name)
    return found


def _unseen(options: StoreOptions) -> Finding:
    what = f"doctor has no part for stores of kind {options.kind}: nobody looked at its rights and its clock"
    return Finding(
        "server",
        Severity.WARNING,
        options.name,
        what,
        "setup/health.py in its package, as `provision docs how-to-add-a-store` says",
    )


def _ledger(store: Store) -> Iterator[Finding]:
    try:
        events = store.ledger.read()
        states = fold(events)
    except ProvisionError as error:
        yield from problems(error, "ledger", store.name)
        return
    entries = f"{len(events)} {'entry' if len(events) == 1 else 'entries'}" if events else "none yet"
    yield Finding("ledger", Severity.FINE, store.name, f"the ledger can be read: {entries}")
    for name, state in states.items():
        if state.open:
            last = state.events[-1]
            yield Finding(
                "attempts",
                Severity.WARNING,
                store.name,
                f"{name} stopped in statement {last.statement or 1}, begun {_age(last.at)} ago by {last.actor}",
                f"`provision up` goes on with it; when it cannot: `provision resolve {name} --applied`, or `--pending`",
            )


def _tried(store: Store, graph: Graph, *, open: bool) -> Iterator[Finding]:
    """What would stop a revision that is to run; every revision, where it cannot be asked which are."""
    done: Collection[str] = ()
    if open and store.peer is not None:
        with suppress(ProvisionError):  # said of the server, or of its version table
            done = store.peer.applied()
    steps = [Step(each, Direction.UP) for each in graph.of(store.name) if each.id not in done]
    for error in failing(store, steps):
        yield from problems(error, "files", store.name)


def _versions(store: Store, graph: Graph) -> Iterator[Finding]:
    if store.peer is None:
        return
    try:
        standing = stand(store.name, graph.of(store.name), store.ledger.read(), store.peer.applied())
    except ProvisionError:
        return  # said of the ledger, or of the server
    if gone := lost(standing, graph):
        yield Finding(
            "versions",
            Severity.ERROR,
            store.name,
            f"{_revisions(len(gone))} applied by the ledger, and not in the version table: {store.peer.seen()}",
            f"`provision resolve {store.name} --applied` writes it again, `--reverted` says that all was undone",
        )


def _statements(store: Store) -> Iterator[Finding]:
    try:
        running = store.marked.running() if store.marked is not None else ()
    except ProvisionError as error:
        yield from problems(error, "statements", store.name)
        return
    for each in running:
        if each.idle:
            continue
        yield Finding(
            "statements",
            Severity.WARNING,
            store.name,
            f"a statement of {each.mark.revision} has run for {each.seconds:.0f} s: {' '.join(each.text.split())[:60]}",
            "`provision up` waits for it (--wait), then stops it",
        )


def _windows(store: Store, sets: Sequence[PartitionSet]) -> Iterator[Finding]:
    mine = [each for each in sets if each.store == store.name]
    if not mine or not isinstance(store, Partitioned):
        return
    try:
        found = standings(mine, {store.name: store.partitions})
    except ProvisionError as error:
        yield from problems(error, "partitions", store.name)
        return
    for each in (each for each in found if not each.absent):
        if each.needs:
            fix = f"`provision partitions ensure {each.wanted.name}`, or any `provision up`"
            yield Finding("partitions", Severity.ERROR, store.name, f"{each.wanted.table} {each.needs}", fix)
        elif each.coverage is not None:
            until = "for ever" if each.coverage.until is None else f"until {each.coverage.until:%Y-%m-%d}"
            yield Finding("partitions", Severity.FINE, store.name, f"{each.wanted.table} takes rows {until}")


def _lease(store: Store, dead: Callable[[Owner], bool]) -> Iterator[Finding]:
    try:
        holding = store.leases.read(RUN_LOCK) if store.leases is not None else None
    except ProvisionError as error:
        yield from problems(error, "lease", store.name)
        return
    if store.leases is None:
        fix = "home in [project] of provision.toml: a store that can, such as PostgreSQL or Redis"
        yield Finding("lease", Severity.ERROR, store.name, f"stores of kind {store.kind} cannot keep the run lock", fix)
    elif holding is None:
        yield Finding("lease", Severity.FINE, store.name, "the run lock is free")
    elif holding.expires_in < 0 or dead(holding.owner):
        what = f"the run lock is of a run that ended without giving it back: {holding.owner}"
        yield Finding("lease", Severity.WARNING, store.name, what, "the next `provision up` takes it over")
    else:
        what = f"a run holds the run lock since {holding.taken_at:%H:%M:%S} UTC: {holding.owner}"
        yield Finding(
            "lease",
            Severity.WARNING,
            store.name,
            what,
            "`provision up` waits for it; `provision lock release` asks for it",
        )


def _age(at: datetime) -> str:
    seconds = (datetime.now(UTC) - at).total_seconds()
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def by_place(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    """The findings in their order, grouped by what they are about."""
    grouped: dict[str, list[Finding]] = {}
    for each in findings:
        grouped.setdefault(each.place, []).append(each)
    return grouped
