"""A disk that runs full under a run: real file systems of a few megabytes."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests.backfill import project
from tests.backfill.conftest import run_in
from tests.backfill.machines import fill_up, leave, small_disk
from tests.backfill.project import standing
from tests.servers import databases
from tests.servers.command_line import Provision

ROWS = 40_000


@pytest.mark.parametrize("order", ["key", "physical"])
def test_a_tablespace_without_room_ends_the_run_and_it_goes_on_once_there_is_some(
    postgres_15: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision, order: str
) -> None:
    with (
        small_disk(40) as place,
        run_in(postgres_15, tmp_path, monkeypatch) as (url, _),
        psycopg.connect(url, autocommit=True) as database,
    ):
        name = f"small_{database.info.dbname}"
        database.execute(f"create tablespace {name} location '{place}'".encode())
        try:
            project.sow(url, ROWS)
            database.execute(f"alter table orders set tablespace {name}".encode())
            project.append(tmp_path / "shop", f"order: {order}\n")
            leave(place, 256)

            full = provision("backfill", "run", "source", "--workers", 2)

            assert full.code == 5
            assert re.match(
                r"error\[disk-full\]: postgres has no space left: could not extend file \S+: No space left on device\n"
                r"  where  backfills/source\.yaml\n"
                r"  fix    free some space, then `provision backfill resume source`\n$",
                full.err,
            ), full.err
            before = standing(provision)
            assert (before["state"], 0 < before["rows_done"] < 36_000) == ("interrupted", True)

            leave(place, 40 << 10)
            assert provision("backfill", "resume", "source").code == 0
            assert standing(provision)["rows_done"] == 36_000
            assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)
        finally:
            database.execute("drop table orders")
            database.execute(f"drop tablespace {name}".encode())


def test_a_server_that_ends_for_lack_of_room_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision
) -> None:
    """Its whole data directory is on the disk: what cannot be written first is the WAL, and that ends the server."""
    with small_disk(160) as place:
        server = databases.Postgres15(place / "server")
        with server, run_in(server.url, tmp_path, monkeypatch) as (url, _):
            project.sow(url, ROWS)
            fill_up(place, 3 << 20)
            started = project.process(tmp_path / "shop", "backfill", "run", "source")
            project.until(lambda: started.poll() is not None or _ended(server), 60.0)
            (place / "filler").unlink()
            if _ended(server):
                server.start_again()
            code, _, err = project.ended(started)

            assert code == 0 or "error[disk-full]" in err, err
            assert provision("backfill", "run", "source").code == 0
            with psycopg.connect(url) as database:
                assert database.execute(project.REFERENCE).fetchone() == (project.expected(ROWS),)


def _ended(server: databases.Postgres15) -> bool:
    return server.process is not None and server.process.poll() is not None
