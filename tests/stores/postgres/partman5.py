"""PostgreSQL 17 with pg_partman 5 in a root of Debian 13, which `make test-partman5` makes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import tempfile
from pathlib import Path

from tests.servers.databases import Postgres15
from tests.servers.running import HOST

ROOT = os.environ.get("PROVISION_TEST_PARTMAN5", "")
BIN = "/usr/lib/postgresql/17/bin"


class Postgres17(Postgres15):
    """In a folder of the root; on loopback alone, without passwords."""

    name, what, source = "postgres17", "PostgreSQL 17 with pg_partman 5", "make test-partman5"

    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="provision-", dir=Path(ROOT) / "srv")))

    def program(self) -> str | None:
        return BIN if (Path(ROOT) / BIN.lstrip("/") / "postgres").exists() else None

    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        [port] = self.listens
        self.url = f"postgresql://postgres@{HOST}:{port}/postgres"
        inside = f"/srv/{self.place.name}"
        owner = (Path(ROOT) / "var/lib/postgresql").stat()
        shutil.chown(self.place, owner.st_uid, owner.st_gid)
        data = shlex.quote(f"{inside}/data")
        script = (
            f"[ -s {data}/PG_VERSION ] || {program}/initdb -D {data} -U postgres -E UTF8 --locale=C.UTF-8 -A trust"
            f" --no-sync >/dev/null && exec {program}/postgres -D {data} -c fsync=off -c listen_addresses={HOST}"
            f" -c port={port} -c unix_socket_directories="
        )
        user = f"--userspec={owner.st_uid}:{owner.st_gid}"
        return ["chroot", user, ROOT, "/bin/sh", "-c", script], {}

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGINT)
