"""Makes a plan from the graph and the standings, or refuses. Pure: a plan is data, nothing runs here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from provision.core import repeatables
from provision.core.graph import BACKFILL, Graph, edges
from provision.core.standing import Flag, Standing, StoreStanding
from provision.errors import ConfigError, ProvisionError, RefusedError, raise_all
from provision.model import Blocked, Direction, Plan, Revision, Step


class MoveRequest(NamedTuple):
    """What the user asked to move: everything, some stores (`only`), up to some revisions (`targets`), some `steps`."""

    targets: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    steps: int | None = None
    everything: bool = False
    cascade: bool = False
    out_of_order: bool = False


Standings = Mapping[str, StoreStanding]


def plan_up(graph: Graph, standings: Standings, wanted: MoveRequest) -> Plan:
    """The pending steps in order.

    Raises RefusedError (changed, unknown, out of order, requirement not met) and ConfigError (no such target).
    """
    raise_all([*_trouble(standings, wanted), *_out_of_order(graph, standings, wanted)])
    chosen = _chosen(graph, wanted)
    pending = [each for each in graph.order if each.id in chosen and _wanted(standings, each, wanted)]
    steps, held = _gated(pending, standings)
    steps = repeatables.complete(steps[: wanted.steps], graph, standings)
    raise_all(list(_unmet(steps, graph, standings)))
    return Plan(tuple(steps), tuple(held), digests(standings), basis(standings))


def plan_down(graph: Graph, standings: Standings, wanted: MoveRequest) -> Plan:
    """The applied steps to revert, newest first. Raises RefusedError and ConfigError as `plan_up` does."""
    if not (wanted.everything or wanted.targets or wanted.steps):
        raise ConfigError(
            "down-without-target",
            "down needs a target",
            where="provision down",
            fix="name a revision to go back to (it stays applied), or --steps N, or --all",
        )
    raise_all(_trouble(standings, wanted))
    # Of a store that is off or not configured here nothing is known to be applied.
    here = [each for each in graph.order if each.store in standings]
    applied = [each for each in here if _standing(standings, each).applied or _reverting(standings, each)]
    chosen = _chosen_down(graph, applied, wanted)
    chosen |= repeatables.above(chosen, applied)
    extra = graph.dependents(chosen) - chosen
    above = [each.id for each in applied if each.id in extra]
    if above and not wanted.cascade:
        raise RefusedError(
            "required-by-others",
            f"{', '.join(above)} stand{'s' if len(above) == 1 else ''} on what would be reverted",
            where=", ".join(sorted(chosen)),
            fix="add --cascade to revert them first, or choose a later target",
        )
    steps = [Step(each, Direction.DOWN) for each in reversed(applied) if each.id in chosen | extra]
    raise_all([*_beneath_unknown(steps, standings), *_one_way(steps)])
    return Plan(tuple(steps), (), digests(standings), basis(standings))


def digests(standings: Standings) -> dict[str, str]:
    """One short digest a store of what is applied and what the files say: a saved plan is stale when one differs."""
    return {name: _digest(standing) for name, standing in standings.items()}


def moved(plan: Plan, standings: Standings) -> list[str]:
    """The stores that the plan was made from and whose state or files are others now."""
    now = digests(standings)
    return [name for name, digest in plan.digest.items() if now.get(name) != digest]


def basis(standings: Standings) -> dict[str, dict[str, str]]:
    """Store → id → its state and the checksum of its file: what `digests` sums up."""
    return {name: _lines(standing) for name, standing in standings.items()}


def first_moved(plan: Plan, standings: Standings, store: str) -> tuple[str, str, str] | None:
    """Id, state when planned and state now of the first revision of a store that moved; None when none did.

    A state is empty where the store had no such revision.
    """
    then, now = plan.basis.get(store, {}), basis(standings).get(store, {})
    for name in {**now, **then}:
        if then.get(name) != now.get(name):
            was, becomes = (lines.get(name, "").split(" ", 1)[0] for lines in (then, now))
            return name, was, becomes
    return None


def held_back(graph: Graph, standings: Standings) -> tuple[Blocked, ...]:
    """What is pending and waits for backfills; refuses nothing, so that it can be shown in any state."""
    return tuple(_gated([each for each in graph.order if _pending(standings, each)], standings)[1])


def refuse_trouble(standings: Standings, only: frozenset[str] = frozenset()) -> None:
    """Raise RefusedError for all that is changed or unknown, as `plan_up` does."""
    raise_all(_trouble(standings, MoveRequest(only=only)))


def _lines(standing: StoreStanding) -> dict[str, str]:
    return {
        each.id: f"{each.state.name} {each.revision.checksum if each.revision else ''}"
        for each in standing.standings.values()
    }


def _digest(standing: StoreStanding) -> str:
    lines = (f"{name} {line}" for name, line in _lines(standing).items())
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _standing(standings: Standings, revision: Revision) -> Standing:
    return standings[revision.store].standings[revision.id]


def _pending(standings: Standings, revision: Revision) -> bool:
    return revision.store in standings and _standing(standings, revision).pending


def _wanted(standings: Standings, revision: Revision, wanted: MoveRequest) -> bool:
    """Whether it is pending; one of an option that was not chosen is wanted by whom it names."""
    named = revision.optional and revision.id in wanted.targets and revision.store in standings
    return _pending(standings, revision) or (named and not _standing(standings, revision).applied)


def _reverting(standings: Standings, revision: Revision) -> bool:
    state = _standing(standings, revision).state
    return state.open and state.direction is Direction.DOWN


def _trouble(standings: Standings, wanted: MoveRequest) -> list[ProvisionError]:
    return [
        error
        for standing in standings.values()
        if not wanted.only or standing.store in wanted.only
        for each in standing.standings.values()
        for error in _refusals(each)
    ]


def _refusals(each: Standing) -> Iterator[ProvisionError]:
    revision, state = each.revision, each.state
    if Flag.CHANGED in each.flags and revision is not None and each.strict:
        yield _changed(each, revision)
    if revision is None and state.open:
        yield RefusedError(
            "revision-unknown",
            f"{each.id} was begun and not ended, and its file is gone",
            where=f"ledger of {each.id.split('/')[0]}, begun by {state.actor}",
            fix=f"restore the file, or settle it with `provision resolve {each.id} --applied` or"
            f" `provision resolve {each.id} --pending`",
        )
    if Flag.UNKNOWN in each.flags and Flag.FUTURE not in each.flags:
        yield _unknown(each)


def _changed(each: Standing, revision: Revision) -> RefusedError:
    state, other = each.state, each.other_file
    applied = f"applied {state.at:%Y-%m-%d %H:%M} UTC by {state.actor}" if state.at else "applied by another tool"
    note = f"; checksum {state.checksum[:6]}… is now {revision.checksum[:6]}…" if state.checksum else ""
    where = f"{revision.path}; {applied}{note}"
    if other:
        return RefusedError(
            "number-taken",
            f"another revision had the number of {each.id}: {other} was applied, here is {revision.file}",
            where=where,
            fix=f"give {revision.file} the next free number, and keep {other} beside it; if it is the same revision,"
            f" renamed and edited: `provision resolve {each.id} --accept-change`, which runs nothing of"
            f" {revision.file}",
        )
    return RefusedError(
        "revision-changed",
        f"{revision.title} was edited after it was applied",
        where=where,
        fix="restore the file from version control, or write a new revision that makes the change;"
        f" `provision resolve {each.id} --accept-change` records an edit that changes nothing",
    )


def _unknown(each: Standing) -> RefusedError:
    state = each.state
    return RefusedError(
        "revision-unknown",
        f"{each.id} is applied, but no file has that id",
        where=f"ledger of {each.id.split('/')[0]}"
        + (f"; applied {state.at:%Y-%m-%d %H:%M} UTC by {state.actor}" if state.at else ""),
        fix=f"restore the file, or `provision resolve {each.id} --reverted` if it was undone by hand",
    )


def _beneath_unknown(steps: Iterable[Step], standings: Standings) -> Iterator[ProvisionError]:
    """Reverting is refused below a revision that has no file here and may depend on it; applying is not."""
    for store in dict.fromkeys(step.revision.store for step in steps):
        yield from (_unknown(each) for each in standings[store].standings.values() if Flag.FUTURE in each.flags)


def _out_of_order(graph: Graph, standings: Standings, wanted: MoveRequest) -> Iterator[ProvisionError]:
    if wanted.out_of_order:
        return
    for standing in standings.values():
        if wanted.only and standing.store not in wanted.only:
            continue
        newest: dict[str, str] = {}  # id → the newest applied revision that follows it; branches are not in order
        for each in reversed(graph.of(standing.store)):
            above = newest.get(each.id) or (each.id if _standing(standings, each).applied else None)
            newest |= {parent: above for parent in each.parents if above and parent not in newest}
        for each in graph.of(standing.store):
            stands = _standing(standings, each)
            if stands.pending and not stands.state.open and each.id in newest:
                yield RefusedError(
                    "out-of-order",
                    f"{each.title} is pending, but {newest[each.id]} after it is applied",
                    where=each.path,
                    fix="give the file the next free number, or run with --out-of-order if the order does not matter",
                )


def _chosen(graph: Graph, wanted: MoveRequest) -> frozenset[str]:
    for target in wanted.targets:
        _existing_id(graph, target)
    scope = graph.needs(wanted.targets) if wanted.targets else frozenset(graph.revisions)
    if not wanted.only:
        return scope
    return frozenset(name for name in scope if graph.revisions[name].store in wanted.only)


def _chosen_down(graph: Graph, applied: Sequence[Revision], wanted: MoveRequest) -> frozenset[str]:
    scope = [each for each in applied if not wanted.only or each.store in wanted.only]
    if wanted.targets:
        # What follows a target in its own store is meant; what stands on it elsewhere is the cascade's.
        meant = {
            name
            for target in wanted.targets
            for name in graph.dependents([_existing_id(graph, target)]) - {target}
            if graph.revisions[name].store == graph.revisions[target].store
        }
        return frozenset(each.id for each in scope if each.id in meant)
    if wanted.steps is not None:
        scope = [each for each in scope if not each.repeatable]
        return frozenset(each.id for each in scope[len(scope) - wanted.steps if wanted.steps < len(scope) else 0 :])
    return frozenset(each.id for each in scope)


def _existing_id(graph: Graph, target: str) -> str:
    if target not in graph.revisions:
        store, _, number = target.rpartition("/")
        same = [name for name in graph.revisions if name.split("/", 1)[1].lstrip("0") == number.lstrip("0")]
        near = [name for name in same if name.startswith(f"{store}/")] or same[:3]
        raise ConfigError(
            "no-such-revision",
            f"no revision is called {target}",
            where=f"argument {target}",
            fix=f"did you mean {' or '.join(near)}?" if near else "`provision status --all` lists the ids",
        )
    return target


def _gated(pending: Iterable[Revision], standings: Standings) -> tuple[list[Step], list[Blocked]]:
    """Split what can run from what waits for a backfill, directly or through another revision."""
    complete = {gate for standing in standings.values() for gate in standing.gates}
    steps, held, waiting = [], [], dict[str, tuple[str, ...]]()
    for revision in pending:
        gates = [need for need in revision.requires if need.startswith(BACKFILL) and need not in complete]
        gates += [gate for edge in edges(revision) for gate in waiting.get(edge, ())]
        if gates:
            waiting[revision.id] = tuple(dict.fromkeys(gates))
            held.append(Blocked(Step(revision), waiting[revision.id]))
        else:
            steps.append(Step(revision))
    return steps, held


def _unmet(steps: Sequence[Step], graph: Graph, standings: Standings) -> Iterator[ProvisionError]:
    """Steps that require something neither applied nor in this plan: of a store left out, or not configured."""
    planned = {step.id for step in steps}
    for step in steps:
        for need in graph.stands_on(step.revision):
            if need in planned or need.startswith(BACKFILL):
                continue
            other = graph.revisions[need].store
            if other not in standings:
                yield ConfigError(
                    "requirement-not-configured",
                    f"{step.id} requires {need}, and {other} is not configured here",
                    where=step.revision.path,
                    fix=f"set the url of {other}, or leave {step.revision.store} out too",
                )
            elif not standings[other].standings[need].applied:
                yield RefusedError(
                    "requirement-not-met",
                    f"{step.id} requires {need}, which is not applied and not part of this run",
                    where=step.revision.path,
                    fix=f"add --only {other}, or run without --only",
                )


def _one_way(steps: Iterable[Step]) -> Iterator[ProvisionError]:
    for step in steps:
        if step.revision.irreversible is not None:
            yield RefusedError(
                "irreversible",
                f"{step.revision.title} has no way down: {step.revision.irreversible}",
                where=step.revision.path,
                fix="choose a later target, or write a new revision that undoes it",
            )


def refuse_beneath(graph: Graph, standings: Standings, steps: Iterable[Step]) -> None:
    """Raise RefusedError (required-by-others) where a down that was begun would go on beneath what is applied.

    No down begins so. A store that was restored from a backup meanwhile can bring it about, and, where no fence refuses
    it, the entry of a start that the network held back until a newer run had gone another way.
    """
    begun = {step.id for step in steps}
    dependents = graph.dependents(begun) - begun
    here = [each for each in graph.order if each.store in standings and not each.repeatable]
    gone = [each.id for each in here if _standing(standings, each).applied or _reverting(standings, each)]
    above = [name for name in gone if name in dependents and name not in begun]
    if above:
        raise RefusedError(
            "required-by-others",
            f"{', '.join(above)} stand{'s' if len(above) == 1 else ''} on what an earlier `down` began to revert",
            where=", ".join(sorted(begun)),
            fix=f"revert first what is newer: `provision down --steps {len(gone) - gone.index(above[0])}`, then run the"
            " same command again",
        )


def by_word(name: str) -> str:
    """How a person settles what is half applied, and what follows from it."""
    return (
        f"`provision resolve {name} --applied` (nothing more of it is sent) or `provision resolve {name} --pending`"
        " (it begins again with statement 1)"
    )
