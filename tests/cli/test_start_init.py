"""`init`: writes a project that works at once, adopts what is there, overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision import settings
from provision.embedded import engine
from provision.kinds import with_engine
from tests.expected import Expected

if TYPE_CHECKING:
    from tests.servers.command_line import Provision


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with a space and letters beyond ASCII; its engines end with the test."""
    place = tmp_path / "Größe 1"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("PROVISION_ENV", raising=False)
    yield place
    for kind in with_engine():
        engine(kind, kind, place / ".provision").reset()


def tree(place: Path) -> dict[str, bytes]:
    return {each.relative_to(place).as_posix(): each.read_bytes() for each in place.rglob("*") if each.is_file()}


def test_init_empty_folder_writes_a_project_and_says_what_is_next(
    expected: Expected, empty: Path, provision: Provision
) -> None:
    ran = provision("init")
    assert (ran.code, ran.err) == (0, "")
    expected(ran.out)
    project = settings.load(empty, {})
    assert (project.name, project.home) == ("Gr-e-1", "postgres")
    assert [each.name for each in project.stores] == ["postgres", "clickhouse", "redis"]
    assert (empty / ".gitignore").read_text() == ".provision/\n"
    expected((empty / ".gitattributes").read_text(), "2")
    assert "script_location = %(here)s/alembic\n" in (empty / "alembic.ini").read_text()


def test_init_then_up_with_nothing_then_with_filled_files(empty: Path, provision: Provision) -> None:
    assert provision("init").code == 0
    first = provision("up", "--env", "local")
    assert (first.code, first.out.splitlines()[-1]) == (0, "nothing to do")
    for arguments in (
        ("postgres", "orders"),
        ("clickhouse", "order events", "--requires", "postgres/0001"),
        ("redis", "order stream", "--requires", "postgres/0001"),
    ):
        assert provision("new", *arguments).code == 0
    unfilled = provision("up", "--env", "local")
    assert unfilled.code == 2
    assert unfilled.err.count("error[empty-migration]") == 3
    fill(empty)
    assert provision("up", "--env", "local").out.splitlines()[-1].startswith("3 applied in")
    assert provision("up", "--env", "local").out.splitlines()[-1] == "nothing to do"
    down = provision("down", "--all", "--allow-destructive", "--env", "local")
    assert down.out.splitlines()[-1].startswith("3 reverted in")


def fill(place: Path) -> None:
    """Put a body into each file as its comments say."""
    path = place / "alembic/versions/0001_orders.py"
    up, down = path.read_text().split("def downgrade")
    up = up.replace("pass  # provision: unfilled", 'op.execute("CREATE TABLE orders (id bigint)")')
    path.write_text(
        f"{up}def downgrade" + down.replace("pass  # provision: unfilled", 'op.execute("DROP TABLE orders")')
    )
    for name, statement in (
        ("001_order_events.sql", "CREATE TABLE order_events (id Int64) ENGINE = MergeTree ORDER BY id;\n"),
        ("001_order_events.down.sql", "DROP TABLE order_events;\n"),
    ):
        with (place / "clickhouse" / name).open("a") as file:
            file.write(statement)
    document = place / "redis/0001_order_stream.yaml"
    document.write_text(document.read_text().replace("#  - ", "  - "))


def test_init_writes_the_env_file_that_this_project_uses(empty: Path, provision: Provision) -> None:
    provision("init")
    own = Path(__file__).resolve().parents[2] / "alembic/env.py"
    assert (empty / "alembic/env.py").read_text() == own.read_text()


def test_init_again_is_refused_and_changes_nothing(expected: Expected, empty: Path, provision: Provision) -> None:
    provision("init")
    before = tree(empty)
    ran = provision("init")
    assert ran.code == 2
    expected(ran.err)
    assert tree(empty) == before


def test_init_adopts_alembic_and_clickhouse_migrations_untouched(empty: Path, provision: Provision) -> None:
    subprocess.run([Path(sys.executable).with_name("alembic"), "init", "db/schema"], check=True, capture_output=True)
    (empty / "migrations").mkdir()
    (empty / "migrations/001_events.sql").write_text("CREATE TABLE e (id Int64) ENGINE = MergeTree ORDER BY id;\r\n")
    (empty / ".gitignore").write_text("build")
    before = tree(empty)
    ran = provision("init", "--stores", "postgres,clickhouse")
    assert ran.code == 0
    assert "  ✓ adopted  db/schema as the folder of postgres, as it is\n" in ran.out
    assert "  ✓ adopted  migrations as the folder of clickhouse, as it is\n" in ran.out
    after = tree(empty)
    assert {name: after[name] for name in before if name != ".gitignore"} == {
        name: text for name, text in before.items() if name != ".gitignore"
    }
    assert after[".gitignore"] == b"build\n.provision/\n"
    # Its Windows line ends stay as they are.
    assert after[".gitattributes"] == b"db/schema/versions/*.py text eol=lf\n"
    paths = {each.name: each.path for each in settings.load(empty, {}).stores}
    assert paths == {"postgres": empty / "db/schema", "clickhouse": empty / "migrations"}


def test_init_two_alembic_folders_is_refused_before_anything_is_written(empty: Path, provision: Provision) -> None:
    for name in ("one", "two"):
        (empty / name).mkdir()
        for file in ("env.py", "script.py.mako"):
            (empty / name / file).touch()
    before = tree(empty)
    ran = provision("init")
    assert ran.code == 2
    assert "error[several-alembic-folders]: 2 folders are Alembic script folders: one, two\n" in ran.err
    assert tree(empty) == before


def test_init_alembic_folder_without_env_is_refused(empty: Path, provision: Provision) -> None:
    (empty / "alembic").mkdir()
    (empty / "alembic/notes.txt").touch()
    ran = provision("init")
    assert ran.code == 2
    assert "error[folder-not-empty]: alembic holds files, but no env.py\n" in ran.err
    assert list(tree(empty)) == ["alembic/notes.txt"]


def test_init_without_a_store_for_the_lock_says_so(empty: Path, provision: Provision) -> None:
    ran = provision("init", "shop", "--name", "web_shop", "--stores", "clickhouse")
    assert "  warning: no store of this project can keep the run lock; add --no-lock to `up`\n" in ran.out
    assert ran.out.endswith(
        '  cd shop\n  provision new clickhouse "what it does"\n  provision up --env local --no-lock\n'
    )
    assert settings.load(empty / "shop", {}).name == "web_shop"
    assert settings.load(empty / "shop", {}).home == "none"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("--stores", "postgres,mongo"),
            "error[unknown-kind]: no kind of store is called 'mongo'\n  where  --stores\n"
            "  fix    known: arango, clickhouse, influx, postgres, redis, weaviate\n",
        ),
        (
            ("--name", "a/b"),
            "error[bad-name]: 'a/b' is no name for a project\n  fix    use letters, digits, _ and -\n",
        ),
    ],
)
def test_init_wrong_option_is_refused(
    empty: Path, provision: Provision, arguments: tuple[str, ...], error: str
) -> None:
    ran = provision("init", *arguments)
    assert (ran.code, ran.err) == (2, error)
    assert tree(empty) == {}
