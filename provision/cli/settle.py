"""`baseline`, `resolve` and `lock`: a person's word, written down."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from provision.cli import complete, group, options, site
from provision.cli.render import settle as render
from provision.errors import EXIT_DONE, ConfigError
from provision.flows import settle
from provision.flows.connect import Access, Site
from provision.flows.rules import Listeners, Rules
from provision.flows.verdicts import Verdict
from provision.model import RUN_LOCK, LeaseRecord
from provision.ports import Leases
from provision.process import dead
from provision.wiring import baselines, locks, sites

_WATCH = Listeners(render.happened, lambda _plan, _standings: None)


app = group.app()
Settled = Annotated[
    str,
    typer.Argument(metavar="REVISION", autocompletion=complete.revisions, help="A revision as STORE/ID, or a store."),
]
Applied = Annotated[bool, typer.Option("--applied", help="All of it is there: send nothing more of it.")]
Pending = Annotated[bool, typer.Option("--pending", help="Nothing of it is there: run it from statement 1.")]
Reverted = Annotated[bool, typer.Option("--reverted", help="It was there and was undone.")]
DoneTo = Annotated[
    int | None,
    typer.Option("--done-to", metavar="N", help="Its statements 1 to N are done: go on with the next one."),
]
Force = Annotated[bool, typer.Option("--force", help="Even if what can be seen speaks against it; needs --reason.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the history.")]
Unproved = Annotated[bool, typer.Option("--unproved", help="Even where a database is not as schema/ says.")]
AcceptChange = Annotated[bool, typer.Option("--accept-change", help="The edit of its file changes nothing.")]


@group.command(
    app,
    "baseline",
    "provision baseline postgres/0007 --env production",
    "provision baseline --all --only postgres -e production",
)
def baseline(
    revisions: options.Revisions = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything on disk.")] = False,
    unproved: Unproved = False,
    only: options.Only = None,
    env: options.Env = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    wait: options.Wait = options.WAIT,
    no_lock: options.NoLock = False,
) -> int:
    """Mark REVISION and everything below it as applied without running it.

    With --all, a database whose snapshot is in schema/ must have what the snapshot says.
    """
    if bool(revisions) is everything:
        raise ConfigError("usage", "baseline needs to know what is there already", fix="name revisions, or --all")
    stores = tuple(only or ())
    marking = settle.Marking(tuple(revisions or ()), everything, frozenset(stores))
    with site.opened(env, Access.WRITE, only=stores, wait_for=wait_for) as opened:
        prove = baselines.proof(opened, marking, unproved=unproved)
        events = settle.baseline(opened, marking, _rules(opened, wait, no_lock), _WATCH, prove)
        render.baselined(events, output)
    return EXIT_DONE


@group.command(
    app,
    "resolve",
    "provision resolve clickhouse/003 --applied --env local",
    "provision resolve clickhouse/003 --done-to 2 --env production",
    'provision resolve postgres/0007 --accept-change --reason "comment only"',
)
def resolve(
    revision: Settled,
    applied: Applied = False,
    pending: Pending = False,
    reverted: Reverted = False,
    done_to: DoneTo = None,
    accept_change: AcceptChange = False,
    force: Force = False,
    reason: Reason = "",
    env: options.Env = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    wait: options.Wait = options.WAIT,
    no_lock: options.NoLock = False,
) -> int:
    """Settle REVISION by your word: half applied, edited or unknown. Look at the database first.

    Refused where the server shows that it is not so: a statement that is not there, or is there.

    Given a store, it settles all that the store's version table lost: --applied writes that table again.
    """
    verdict = _verdict(
        applied=applied,
        pending=pending,
        reverted=reverted,
        accept_change=accept_change,
        done_to=done_to is not None,
    )
    _explained(reason, force=force)
    with site.opened(env, Access.WRITE, tolerant=True, wait_for=wait_for) as opened:
        locks.answers(opened, revision.split("/", 1)[0], opened.project.home)
        rules = _rules(opened, wait, no_lock)
        if revision in opened.reached:
            events = settle.resolve_store(opened, revision, verdict, reason, rules, _WATCH)
            render.resolved_all(events, str(verdict), output)
        elif done_to is not None:
            render.resolved(settle.resolve_done_to(opened, revision, done_to, reason, rules, _WATCH), output)
        else:
            render.resolved(settle.resolve(opened, revision, verdict, reason, rules, _WATCH, force=force), output)
    return EXIT_DONE


lock = group.app(
    name="lock",
    help="Show or release the run lock.",
    epilog=group.example("provision lock show --env production", "provision lock release -e local --yes"),
)
app.add_typer(lock)


@group.command(lock, "show", "provision lock show --env production")
def show(env: options.Env = None, output: options.Output = options.TEXT, wait_for: options.WaitFor = 0.0) -> int:
    """Show who holds the run lock, since when, and when it expires."""
    with _leases(env, wait_for) as leases:
        holding = leases.read(RUN_LOCK) if leases is not None else None
        render.lock(holding, output, gone=holding is not None and dead(holding.owner))
    return EXIT_DONE


@group.command(lock, "release", "provision lock release --env production --yes")
def release(
    env: options.Env = None,
    output: options.Output = options.TEXT,
    wait_for: options.WaitFor = 0.0,
    yes: options.Yes = False,
) -> int:
    """Ask the holder to give the run lock up: it does so before its next statement."""
    with _leases(env, wait_for) as leases:
        holding = leases.read(RUN_LOCK) if leases is not None else None
        if leases is None or holding is None:
            render.released(None, output, done=False)
            return EXIT_DONE
        gone = dead(holding.owner)
        if output == options.TEXT:
            render.lock(holding, output, gone=gone)
        if not (yes or _confirmed(holding, output)):
            render.released(holding, output, done=False)
        elif locks.release(leases, holding):
            render.released(holding, output, done=True)
        else:
            render.asked_back(holding, output)
    return EXIT_DONE


def _explained(reason: str, *, force: bool) -> None:
    """Raises ConfigError (usage) for force without a reason."""
    if force and not reason:
        what = "--force goes against what was seen, and nobody would know why"
        raise ConfigError("usage", what, where="resolve", fix="add --reason TEXT")


def _verdict(**said: bool) -> Verdict:
    """The one answer that was given. Raises ConfigError (usage) for none and for several."""
    given = [name.replace("_", "-") for name, each in said.items() if each]
    if len(given) != 1:
        fix = "say one of --applied, --pending, --done-to N, --reverted, --accept-change"
        raise ConfigError("usage", f"resolve takes one answer, not {len(given)}", fix=fix)
    return Verdict(given[0])


def _rules(opened: Site, wait: float, no_lock: bool) -> Rules:
    return Rules(sites.owner(opened.project.root), wait, use_lease=not no_lock)


@contextmanager
def _leases(env: str | None, wait_for: float) -> Iterator[Leases | None]:
    """The home store's leases; None while its embedded engine was never made: then nobody holds one."""
    with site.opened(env, Access.READ, tolerant=True, wait_for=wait_for) as opened:
        yield locks.leases(opened)


def _confirmed(holding: LeaseRecord, output: str) -> bool:
    """A word typed at a terminal. Raises ConfigError (confirmation-needed) where nobody can answer."""
    if output != options.TEXT or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "confirmation-needed",
            f"releasing the lock of {holding.owner} has to be confirmed",
            where=f"lock {holding.name}, token {holding.token}",
            fix="add --yes if that run is gone for good",
        )
    return bool(typer.prompt(render.question(holding), default="", show_default=False) == "RELEASE")
