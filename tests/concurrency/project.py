"""A small project over real servers, and `provision` as a process of its own there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("provision")
ENV_PY = (REPOSITORY / "provision/stores/postgres/setup/template/env.py").read_text(encoding="utf-8")
PATIENCE = 90.0  # seconds that anything here may take at most
REVISION = '''"""{number}"""
import time
from alembic import op
revision = "{number}"
down_revision = {parent!r}
def upgrade():
{body}
def downgrade():
    op.execute("select 1")
'''


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Run:
    """A `provision` that goes on."""

    def __init__(self, folder: Path, arguments: Sequence[str], lease: str) -> None:
        environment = os.environ | {"PROVISION_ENV": "local", "PROVISION_PROJECT__LEASE": lease}
        self._process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> Ended:
        """Wait for its end. Raises TimeoutExpired, the process killed, when it takes too long."""
        try:
            out, err = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        return Ended(self._process.returncode, out, err)

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until it is so. Raises AssertionError when the run ends before, or it takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self._process.poll() is not None:
                raise AssertionError(f"ended before {what}: {self.end()}")
            assert time.monotonic() < deadline, f"this did not come: {what}"
            time.sleep(0.02)

    def kill(self) -> Ended:
        self._process.kill()
        return self.end()

    def clear(self) -> None:
        """End it if it still runs, and close what it wrote into."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


class Small:
    """A folder with provision.toml; `stores` maps a name to its url, `None` for an embedded engine."""

    def __init__(self, folder: Path, stores: dict[str, str | None], home: str = "postgres") -> None:
        self.folder, self.runs = folder, list[Run]()
        lines = ["[project]", 'name = "small"', f'home = "{home}"']
        lines += [f"[stores.{name}]" for name in stores]
        lines += ["[environments.local]", f"embedded = {str(None in stores.values()).lower()}"]
        lines += [f'{name}.url = "{url}"' for name, url in stores.items() if url is not None]
        (folder / "provision.toml").write_text("\n".join(lines) + "\n")
        (folder / "alembic/versions").mkdir(parents=True)
        (folder / "alembic/env.py").write_text(ENV_PY)
        for name in ("clickhouse", "redis"):
            (folder / name).mkdir()

    def revisions(self, *bodies: str, requires: dict[int, str] | None = None) -> None:
        """Alembic revisions 0001, 0002, …; each body is the Python of its upgrade, a line each."""
        for at, body in enumerate(bodies, 1):
            text = REVISION.format(
                number=f"{at:04d}",
                parent=f"{at - 1:04d}" if at > 1 else None,
                body="\n".join(f"    {line}" for line in body.splitlines()),
            )
            if requires and at in requires:
                text += f"requires = [{requires[at]!r}]\n"
            (self.folder / f"alembic/versions/{at:04d}_step.py").write_text(text)

    def start(self, *arguments: str, lease: str = "30s") -> Run:
        run = Run(self.folder, arguments, lease)
        self.runs.append(run)
        return run

    def run(self, *arguments: str, lease: str = "30s") -> Ended:
        return self.start(*arguments, lease=lease).end()
