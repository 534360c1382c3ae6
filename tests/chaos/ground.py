"""A copy of this project with engines of its own, and a contract double of ArangoDB, that rounds take place in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from types import MappingProxyType
from typing import Any

from provision.embedded import engine
from provision.embedded.programs import missing
from tests.chaos import pictures, second, wipe
from tests.chaos.second import ENGINES, ORDERS
from tests.doubles.arango import arango_double
from tests.servers.rest import Keys
from tests.system import six

REPOSITORY = Path(__file__).resolve().parents[2]
VERIFY = ("ledger", "verify", "--output", "json")
UP = ("up", "--output", "json", "--wait", "30s")
DOWN = ("down", "--all", "--allow-destructive", "--output", "json", "--wait", "30s")
LIMIT = 90.0  # seconds; a run that takes longer hangs
LEASE = "2s"


@dataclass(frozen=True)
class Ran:
    """How a command ended; `code` is negative for a signal, `begun` the seconds until it said its first word."""

    code: int
    seconds: float
    begun: float
    hung: bool
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON document; empty when there is none."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def error(self) -> dict[str, str]:
        """Its error as code, what, where, fix; empty when it has none."""
        found = self.document.get("error") or (self.document.get("failed") or {}).get("error") or {}
        return found if isinstance(found, dict) else {}

    def line(self) -> str:
        """How it ended, in a few words."""
        done = len(self.document.get("applied") or self.document.get("reverted") or ())
        error = f" {self.error.get('code')}" if self.error else ""
        return f"exit {self.code}{error} after {self.seconds:.2f} s, {done} done"

    def told(self) -> str:
        """All of it, for a failure."""
        begin = max(self.err.index("Traceback") - 200, 0) if "Traceback" in self.err else -3000
        return f"exit {self.code}{' HUNG' if self.hung else ''}; {self.out[-1500:]}\n{self.err[begin:][:6000]}".strip()


class Starter:
    """The process that starts commands in a folder, one at a time."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *more: str) -> None:
        name = "-".join(("said", *(each.strip("-") for each in more)))
        self._out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        command = [sys.executable, "-P", "-m", "tests.chaos.stable", str(folder), *more]
        # A session of its own: Ctrl-C at the terminal must not end the one that cleans up.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
        )

    def run(
        self,
        arguments: tuple[str, ...],
        *,
        kill_after: float | None = None,
        kill_early: bool = False,
        engine_of: str = "",
        again: bool = False,
        trap: str = "",
        record: Path | None = None,
        bare: bool = False,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Ran:
        """Run `provision` there and wait for its end. `bare` starts the real program, else a fork of one warmed up.

        `kill_after` counts seconds from the first word it says (all stores are reached then), with `kill_early` from
        its start. With `engine_of` an engine is killed, not the run; with `again` it is back while the run goes on.
        """
        request = {
            "arguments": arguments,
            "kill_after": kill_after,
            "kill_early": kill_early,
            "engine": engine_of,
            "again": again,
            "trap": trap,
            "record": str(record or ""),
            "bare": bare,
            "environment": dict(environment),
            "limit": LIMIT,
            "out": str(self._out),
            "err": str(self.err),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        said = {each.suffix[1:]: each.read_text(errors="replace") for each in (self._out, self.err)}
        return Ran(**answer, **said)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


class Ground:
    """Owns the copy, its engines and what starts commands there; `beside` starts others at the same time."""

    def __init__(self) -> None:
        roomy = Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 2 << 30
        self.folder = six.copied(Path(tempfile.mkdtemp(prefix="chaos-", dir="/dev/shm" if roomy else None)))
        second.added(self.folder)
        self._double = ExitStack()
        self.arango = f"{self._double.enter_context(arango_double())}/vfr"
        environment = os.environ | {
            "PROVISION_ARANGO__URL": self.arango,
            "PROVISION_ENV": "local",
            "PROVISION_PROJECT__LEASE": LEASE,
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.first = Starter(self.folder, environment)
        self.run = self.first.run
        self.beside = Starter(self.folder, environment, "--beside")
        self.full = False  # everything is applied, as in an undisturbed run
        self.expected: dict[str, str] = {}
        self.revisions: dict[str, list[str]] = {}

    def start(self) -> None:
        """Make the engines and learn what an undisturbed run comes to. Raises RuntimeError when that one fails."""
        if absent := [program for kind in ENGINES.values() if (program := missing(kind))]:
            raise RuntimeError(f"not on PATH: {', '.join(absent)}; `make servers` installs them")
        first = self.run(UP)
        if first.code:
            raise RuntimeError(f"the undisturbed run failed: {first.told()}")
        self.expected = self.pictures()
        self.revisions = {store: [] for store in (*six.STORES, ORDERS)}
        for each in first.document["applied"]:
            self.revisions[each["id"].split("/")[0]].append(each["id"])
        self.full = True

    def stores(self) -> dict[str, Keys]:
        """Where the stores are. Raises RuntimeError when an engine does not run."""
        local = self.folder / ".provision"
        found = {store: engine(kind, store, local).status() for store, kind in ENGINES.items()}
        if lost := [kind for kind, status in found.items() if status.url is None]:
            raise RuntimeError(f"engines do not run: {', '.join(lost)}")
        return {kind: {"url": str(status.url)} for kind, status in found.items()} | {"arango": {"url": self.arango}}

    def pictures(self) -> dict[str, str]:
        """The schema of each store."""
        return pictures.of(self.stores())

    def faults(self, *, lived: bool = False) -> list[str]:
        """What is not as after an undisturbed run; empty when all is. `lived`: a run could say that it failed."""
        found: list[str] = []
        for kind, text in self.pictures().items():
            lines = unified_diff(self.expected[kind].splitlines(), text.splitlines(), "undisturbed", kind, n=0)
            found += [line for line in lines if not line.startswith("@@")][:40]
        stores = self.stores()
        urls = {store: keys["url"] for store, keys in stores.items()}
        for kind, entries in (pictures.ledgers(urls) | pictures.rest_ledgers(stores)).items():
            found += pictures.faults(entries, self.revisions[kind], may_fail=lived)
        numbers = {kind: [each.split("/")[1] for each in ids] for kind, ids in self.revisions.items()}
        for kind, rows in pictures.versions(urls).items():
            wanted = sorted(numbers[kind]) if kind == "clickhouse" else numbers[kind][-1:]
            if rows != wanted:
                found.append(f"the peer of {kind} has {rows}, not {wanted}")
        return found + self.illegal()

    def illegal(self) -> list[str]:
        """What no correct run could have written into the ledgers, by `provision ledger verify`."""
        ran = self.run(VERIFY)
        found = [entry for each in ran.document.get("stores", ()) for entry in each["illegal"]]
        told = [f"illegal: {json.dumps(each)}" for each in found]
        return told or ([f"ledger verify: {ran.told()}"] if ran.code or ran.hung else [])

    def empty(self) -> None:
        """Drop everything in the stores, ledgers too, engines left as they are."""
        for store, kind in ENGINES.items():
            engine(kind, store, self.folder / ".provision").start()
        wipe.everything(self.stores())
        self.full = False

    def fill(self) -> None:
        """Bring the stores to where an undisturbed run leaves them, from nothing. Raises RuntimeError."""
        self.empty()
        if (ran := self.run(UP)).code:
            raise RuntimeError(f"an undisturbed run failed: {ran.told()}")
        self.full = True

    def close(self) -> None:
        """End the engines and remove the folder; `stable` does it, also when this process dies."""
        self.beside.close()
        self.first.close()
        self._double.close()


@contextmanager
def ground() -> Iterator[Ground]:
    """A ground while the block runs."""
    made = Ground()
    try:
        made.start()
        yield made
    finally:
        made.close()
