"""Plays one schedule: runs that start, faults at their calls, hands that meddle, and a last run that must complete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from random import Random
from typing import Any

from provision.core.lease import Lease
from provision.core.ledger import fold
from provision.core.plan import MoveRequest
from provision.errors import ProvisionError, UnreachableError
from provision.flows.connect import Access, NoEngine, open_site
from provision.flows.migrate import move
from provision.flows.rules import Listeners, Rules
from provision.model import RUN_LOCK, Direction, Done, EventKind, Owner, Report, RunEvent, StoreOptions
from provision.settings import Environment, ProjectFile, Secret, StorePlace
from provision.testing.fake_store import FakeLeases, Killed
from tests.proof.machine.scenario import Layout, layout_of
from tests.proof.machine.scheduler import Process, Scheduler
from tests.proof.machine.servers import FENCED, PLAIN, PROJECT, Landing, ProofStore, Server
from tests.proof.machine.threads import play_in

LOCK = 5.0  # seconds that the run lock lasts
ROOT = Path("/proof")  # nothing is read there
# What is sent or written down goes wrong more often than what is read.
WRITING, OFTEN = ("send", "answer", "append"), 0.1
FAULTS = ("raises", "hangs", "dies", "freezes", "silences")


DOWNS, PREPARED = 0.3, 0.4  # shares of runs that go down, and of schedules in which all is applied beforehand


class One:
    """A run: which way it goes, its process, its lock, and how it ended."""

    def __init__(self, number: int, down: MoveRequest | None) -> None:
        self.down = down
        self.process = Process(f"run {number}")
        self.owner = Owner(f"user{number}@host", 1000 + number, f"process {number}")
        self.lease: Lease | None = None  # while it holds it
        self.kept: Lease | None = None  # also when it has given it back, or left it to run out
        self.report: Report | None = None
        self.error: ProvisionError | None = None


class Play:
    """One schedule. `broken` lists what broke: invariant and words."""

    downs = DOWNS

    def __init__(self, seed: int, layout: Layout | None = None) -> None:
        self.seed, self.random = seed, Random(seed)
        self.layout = layout or layout_of(self.random)
        self.scheduler = Scheduler(self.random)
        self.servers = {name: Server(name, self) for name in (FENCED, PLAIN)}
        self.broken: list[tuple[str, str]] = []
        self.log: list[str] = []
        self.tokens: list[int] = []
        self.runs: list[One] = []
        self.faults = self.random.randint(0, 3)
        self._rate = self.random.choice((0.002, 0.01, 0.05))
        self.meddled = False  # the version table was emptied
        self.restored = False
        self.before_last = 0  # statements that had taken effect when the last run began
        self._by_process: dict[Process, One] = {}

    @property
    def landings(self) -> int:
        return sum(len(server.landed) for server in self.servers.values())

    def breaks(self, invariant: str, words: str) -> None:
        self.broken.append((invariant, words))

    def tell(self, words: str) -> None:
        self.log.append(f"{self.scheduler.now:8.2f}  {words}")

    # What the stores ask.

    def passes(self, point: str, *, after: bool = False) -> None:
        """A call on its way: it takes a moment, and can go wrong. After the call, it has been done all the same."""
        process, server = self.scheduler.process, self.servers[point.partition(".")[0]]
        self.scheduler.sleep(self.random.choice((0.0, 0.0, 0.01, 0.1)))
        self.scheduler.sleep(max(server.silent_until - self.scheduler.now, 0.0))
        self._one_holder()
        rate = OFTEN if point.rpartition(".")[2] in WRITING else self._rate
        if process is None or self.faults <= 0 or self.random.random() >= rate:
            return
        self.faults -= 1
        kind = self.random.choice(FAULTS)
        self.tell(f"{process.name}: {'after' if after else 'before'} {point} it {kind}")
        if kind == "raises":
            raise UnreachableError("unreachable", f"{point} does not answer", where="proof", fix="try again")
        if kind == "dies":
            process.dead = True
            raise Killed(process.name)
        until = self.scheduler.now + self.random.uniform(0.1, 3 * LOCK)
        if kind == "freezes":
            process.frozen_until = until
        elif kind == "silences":
            server.silent_until = until
            until += self.random.uniform(0, LOCK)  # what was on its way may arrive when others are answered again
        self.scheduler.sleep(0.0 if kind == "freezes" else until - self.scheduler.now)

    def through(self, call: Callable[..., Any], point: str) -> Callable[..., Any]:
        @wraps(call)
        def passed(*arguments: Any, **keywords: Any) -> Any:
            self.passes(point)
            answer = call(*arguments, **keywords)
            self.passes(point, after=True)
            return answer

        return passed

    def length_of_statement(self) -> float:
        return self.random.choice((0.0, 0.05, 0.3, self.random.uniform(0, 3 * LOCK)))

    def overtaken(self) -> bool:
        """Whether the lock of the run that sends now is over already: it was held up since its check.

        By the record that the home store has: a run that gave its lock back, or gave up a silent store, is answered
        for what it sent until then.
        """
        process = self.scheduler.process
        run = self._by_process[process] if process is not None else None
        return run is None or run.kept is None or run.kept._until <= self.scheduler.now

    def seen(self, landing: Landing) -> None:
        self.tell(f"{landing.text} of token {landing.token} took effect{', late' if landing.late else ''}")
        if landing.text[0] == "-":
            wrong = [each for each in self.layout.above(landing.revision) if self._applied(each)]
            when = "while {} was applied"
        else:
            required = self.layout.by_id[landing.revision].requires
            wrong, when = [each for each in required if not self._applied(each)], "before {} was applied"
        if wrong and not landing.excused:
            self.breaks("one-order", f"{landing.text} took effect {when.format(wrong[0])}")

    def _applied(self, revision: str) -> bool:
        return self.servers[revision.split("/")[0]].applied(revision)

    def _one_holder(self) -> None:
        sure = [
            run.process.name
            for run in self.runs
            if not run.process.dead and run.lease is not None and run.lease.until > self.scheduler.now
        ]
        if len(sure) > 1:
            self.breaks("one-holder", f"{' and '.join(sure)} at {self.scheduler.now:.2f} s")

    # What happens.

    def whole(self) -> Play:
        """Play it all: runs and hands, then a last run without faults."""
        play_in(self.scheduler, self._taken, self._dead)
        if self.downs and self.random.random() < PREPARED:
            self._prepare()
        for number in range(self.random.randint(2, 3)):
            begins = self.random.uniform(0, 1.5 * LOCK) if number else 0.0
            self._start(begins, self.random.choice((0.5 * LOCK, 20 * LOCK)))
        self.scheduler.spawn(self._hands, None)
        self.scheduler.spawn(self._backup, None)
        self.scheduler.run()
        self.faults = 0
        self._meddle(self.random.random())
        self.before_last = self.landings
        self._start(0.0, last=True)
        self.scheduler.run()
        return self

    def _backup(self) -> None:
        self.scheduler.sleep(self.random.uniform(0, 4 * LOCK))
        server = self.random.choice([*self.servers.values()])
        self._kept = server, server.backup()
        self.tell(f"store {server.name} is backed up")

    def _meddle(self, chance: float) -> None:
        """What befalls a store while no run is at work."""
        if chance < 0.05 and self.servers[FENCED].peer and self._row_goes_with_its_entry():
            self.meddled = True
            self.servers[FENCED].peer.clear()
            self.tell("somebody empties the version table")
        elif chance > 0.8:
            server, kept = self._kept
            server.restore(kept)
            self.restored = True
            for each in self.servers.values():
                each.looked = 0  # tokens that were given since may be given again
            self.tell(f"store {server.name} is restored")

    def _row_goes_with_its_entry(self) -> bool:
        """Else a row that is gone under an open down may be its own doing, and an emptied table is not told from it."""
        states = fold(self.servers[FENCED].entries).values()
        return self.layout.lane or not any(each.open and each.direction is Direction.DOWN for each in states)

    def _way(self) -> MoveRequest | None:
        """What a run reverts; None: it goes up."""
        if self.random.random() >= self.downs:
            return None
        some = self.random.choice((None, 1, 2))
        return MoveRequest(steps=some, everything=some is None, cascade=True)

    def _prepare(self) -> None:
        """Apply all, without faults: then the first run may well go down."""
        faults, downs, self.faults, self.downs = self.faults, self.downs, 0, 0.0
        self._start(0.0)
        self.scheduler.run()
        self.faults, self.downs = faults, 2 * downs

    def _start(self, after: float, wait: float = 20 * LOCK, *, last: bool = False) -> None:
        down = self._way()
        run = One(len(self.runs), MoveRequest(everything=True) if down and last else down)
        self.runs.append(run)
        self._by_process[run.process] = run

        def work() -> None:
            self.scheduler.sleep(after)
            self.tell(f"{run.process.name} starts{', down' if run.down else ''}")
            try:
                run.report = self._move(run, wait)
            except ProvisionError as error:
                run.error = error
            failed = [str(each.error) for each in run.report.failures] if run.report else [str(run.error)]
            self.tell(f"{run.process.name} ends: {'; '.join(failed) or 'done'}")

        self.scheduler.spawn(work, run.process)

    def _move(self, run: One, wait: float) -> Report:
        options = tuple(StoreOptions(name, "fake", PROJECT, ROOT / name, ROOT) for name in self.servers)
        project = ProjectFile(ROOT / "provision.toml", PROJECT, FENCED, options, {}, lease_seconds=LOCK)
        places = {name: StorePlace(Secret(f"fake://{name}")) for name in self.servers}
        site = open_site(
            project,
            Environment("test", False, places),
            lambda each: ProofStore(each, self.servers[each.name], self),
            lambda *_: NoEngine(),
            Access.WRITE,
        )
        watch = Listeners(partial(self._heard, run), lambda *_: None)
        rules = Rules(run.owner, wait=wait, allow_destructive=True)
        return move(site, Direction.DOWN if run.down else Direction.UP, run.down or MoveRequest(), rules, watch)

    def _heard(self, run: One, event: RunEvent) -> None:
        """What is reported as done is so by the ledger, as far as no newer run has gone another way since."""
        if not isinstance(event, Done) or run.kept is None:
            return
        entries = self.servers[event.step.revision.store].entries
        ours = [each for each in entries if each.revision == event.step.id and each.token <= run.kept.token]
        kinds = [each.kind for each in sorted(ours, key=lambda each: (each.token, each.n))]
        wanted = EventKind.APPLIED if event.step.direction is Direction.UP else EventKind.REVERTED
        if kinds[-1:] != [wanted]:
            self.breaks("claimed-is-seen", f"{event.step.id} is reported as done, and its ledger does not say so")

    def token(self) -> int:
        """Of the lock that the process whose turn it is holds; 0 without one."""
        run = self._by_process.get(self.scheduler.process) if self.scheduler.process is not None else None
        return run.lease.token if run is not None and run.lease is not None else 0

    def _taken(self, lease: Lease) -> None:
        process = self.scheduler.process
        assert process is not None
        run = self._by_process[process]
        run.lease = run.kept = lease
        release = lease.release

        def released() -> None:
            run.lease = None  # it sends nothing more
            release()

        lease.release = released  # type: ignore[method-assign]
        used = lease.token in self._in_use(run) or lease.token <= max(self._written(), default=0)
        if used and lease.until > self.scheduler.now:  # else it was held up, and others came meanwhile
            self.breaks("tokens-grow", f"token {lease.token} comes after {self.tokens}")
        self.tokens.append(lease.token)
        self.tell(f"{process.name} takes the lock with token {lease.token}")

    def _written(self) -> list[int]:
        return [entry.token for server in self.servers.values() for entry in server.entries]

    def _in_use(self, taker: One) -> set[int]:
        """Tokens of others that can still write something, and of statements that servers work on."""
        alive = {run.lease.token for run in self.runs if run is not taker and run.lease and not run.process.dead}
        return alive | {each.mark.token for server in self.servers.values() for each in server.running}

    def _dead(self, owner: Owner) -> bool:
        """Runs with even numbers are on this machine."""
        return any(run.owner == owner and run.process.dead and owner.pid % 2 == 0 for run in self.runs)

    def _hands(self) -> None:
        """People who ask for the lock back, or delete its record."""
        for _ in range(self.random.choice((0, 0, 1, 2))):
            self.scheduler.sleep(self.random.uniform(0, 2 * LOCK))
            server = self.servers[FENCED]
            leases = FakeLeases(server, PROJECT)
            held = leases.read(RUN_LOCK)
            if held is None:
                continue
            if self.random.random() < 0.8:
                leases.ask_back(RUN_LOCK, held.owner, held.token, "anna")
                self.tell(f"anna asks for the lock of token {held.token} back")
            else:
                del server.holdings[PROJECT, RUN_LOCK]
                self.tell(f"anna deletes the record of the lock of token {held.token}")
