"""The FakeStore, plain and with a peer."""

from __future__ import annotations

from pathlib import Path

from provision.errors import UnreachableError
from provision.model import Direction, StoreOptions
from provision.testing.contract.case import Case
from provision.testing.fake_store import FakeServer, FakeStore

_FILES = {
    "001_first": "up:\n+a\ndown:\n-a\n",
    "002_second": "up:\n+b1\n+b2\n+b3\ndown:\n-b3\n-b2\n-b1\n",
    "003_third": "up:\n+c\ndown:\n-c\n",
}


class FakeCase(Case):
    name = kind = "fake"
    server = ""
    keeps_connection = True
    crash_points = ((FakeServer, "send"),)

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url or "fake://server")
        self.fake = FakeServer()

    def build(self, options: StoreOptions) -> FakeStore:
        return FakeStore(options, self.fake, peer=self.peer)

    def write(self, folder: Path) -> None:
        for name, text in _FILES.items():
            (folder / f"{name}.fake").write_text(text)

    def spoil(self, folder: Path) -> None:
        text = _FILES["002_second"].replace("+b2", "!no room")
        (folder / "002_second.fake").write_text(text)

    def seen(self) -> list[str]:
        return sorted(self.fake.things)

    def everything(self) -> list[str]:
        kept = (self.fake.events, self.fake.fences, self.fake.peer, self.fake.made, self.fake.things)
        return [str(each) for each in kept] + [str(held) for held in self.fake.holdings.items()]

    def wipe(self) -> None:
        self.fake.__init__()  # type: ignore[misc]  # the same server, as it was made

    def cut(self) -> None:
        lost = UnreachableError("unreachable", "fake does not answer", where="fake://server", fix="start it")
        self.fake.fault("before-append", lost)

    def delete_lease(self, project: str, name: str) -> None:
        del self.fake.holdings[project, name]

    def close(self) -> None:
        """Nothing is held."""

    def pass_time(self, seconds: float) -> None:
        self.fake.clock += seconds


class FakePeerCase(FakeCase):
    peer = True

    def apply_outside(self, folder: Path, number: str) -> None:
        self._move(folder, number, Direction.UP)

    def revert_outside(self, folder: Path, number: str) -> None:
        self._move(folder, number, Direction.DOWN)

    def forget_outside(self) -> None:
        self.fake.peer.clear()

    def _move(self, folder: Path, number: str, direction: Direction) -> None:
        store = FakeStore(StoreOptions("fake", "fake", "other", folder, folder.parent), self.fake, peer=True)
        assert store.peer is not None
        for revision in store.revisions():
            wanted = (revision.number <= number) is (direction is Direction.UP)
            if wanted and (revision.id in self.fake.peer) is (direction is Direction.DOWN):
                text = _FILES[f"{revision.number}_{revision.slug}"]
                for line in text.split("down:")[direction is Direction.DOWN].split("\n")[1:-1]:
                    self.fake.send(line) if line[:1] in "+-" else None
                store.peer.note(revision.id, direction)
