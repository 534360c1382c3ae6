"""`store add`: folder, templates and configuration of one more store; what it may not, and the fixes that name it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision import kinds, settings
from provision.embedded import engine
from tests.cli.projects import untouched

if TYPE_CHECKING:
    from tests.servers.command_line import Provision, Ran

OWN = ("arango", "clickhouse", "influx", "postgres", "redis", "weaviate")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> Iterator[Path]:
    """A project of one PostgreSQL and one Redis, with a comment in its file; its engines end with the test."""
    place = tmp_path / "shop"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("PROVISION_ENV", raising=False)
    assert provision("init", "--stores", "postgres,redis").code == 0
    with (place / "provision.toml").open("a") as file:
        file.write('[environments.production]\npostgres.url = "${POSTGRES_URL}"  # ours\n')
    yield place
    for name in ("postgres", "redis", "orders"):
        engine("redis" if name == "redis" else "postgres", name, place / ".provision").reset()


def stores(place: Path) -> dict[str, tuple[str, Path]]:
    return {each.name: (each.kind, each.path.relative_to(place)) for each in settings.load(place, {}).stores}


def test_second_postgres_is_made_and_told(shop: Path, provision: Provision) -> None:
    before = (shop / "provision.toml").read_text().splitlines()
    ran = provision("store", "add", "orders", "--kind", "postgres")
    assert ran == (
        0,
        """\
  ✓ wrote    orders/alembic.ini
  ✓ wrote    orders/env.py
  ✓ wrote    orders/script.py.mako
  ✓ wrote    orders/versions/.gitkeep
  ✓ added to provision.toml
  ✓ added to .gitattributes

next:
  orders.url = "${ORDERS_URL}" below [environments.production] of provision.toml
  provision new orders "what it does"
""",
        "",
    )
    assert stores(shop)["orders"] == ("postgres", Path("orders"))
    after = (shop / "provision.toml").read_text().splitlines()
    added = ["", "[stores.orders]", 'kind = "postgres"', 'path = "orders"']
    end = before.index("[stores.redis]") + 1
    assert after == [*before[:end], *added, *before[end:]]
    assert 'of("orders")' in (shop / "orders/env.py").read_text()


def test_second_postgres_moves_beside_the_first(shop: Path, provision: Provision) -> None:
    assert provision("store", "add", "orders", "--kind", "postgres").code == 0
    for name in ("postgres", "orders"):
        path = shop / provision("new", name, f"of {name}").out.strip()
        up = f'op.execute("CREATE TABLE of_{name} (id bigint)")'
        path.write_text(path.read_text().replace("pass  # provision: unfilled", up, 1).replace("  # provision:", "  #"))
    done = provision("up", "--env", "local")
    assert (done.code, done.out.splitlines()[-1][:9]) == (0, "2 applied"), done
    # Bare Alembic finds the second database by the ini of its folder.
    bare = [Path(sys.executable).with_name("alembic"), "-c", "orders/alembic.ini", "current"]
    environment = {"PROVISION_ENV": "local", "PATH": str(Path(sys.executable).parent)}
    shown = subprocess.run(bare, capture_output=True, text=True, check=False, env=environment)
    assert shown.stdout == "0001 (head)\n", shown.stderr


@pytest.mark.parametrize("kind", OWN)
def test_every_kind_has_its_folder_and_a_first_file(shop: Path, provision: Provision, kind: str) -> None:
    added = provision("store", "add", "another", "--kind", kind)
    assert (added.code, added.err) == (0, "")
    next_command = shlex.split(added.out.splitlines()[-1])[1:]
    assert provision(*next_command).code == 0
    assert stores(shop)["another"] == (kind, Path("another"))


def test_folder_with_a_space_is_one_pattern_to_git(shop: Path, provision: Provision) -> None:
    assert provision("store", "add", "events", "--kind", "redis", "--path", "größe 1/x").code == 0
    assert (shop / ".gitattributes").read_text().endswith('\n"größe 1/x/*.yaml" text eol=lf\n')
    assert stores(shop)["events"] == ("redis", Path("größe 1/x"))


def test_name_alone_says_the_kind(shop: Path, provision: Provision) -> None:
    assert provision("store", "add", "influx").code == 0
    assert "[stores.influx]\n\n" in (shop / "provision.toml").read_text()


def test_folder_that_is_there_is_adopted_as_it_is(shop: Path, provision: Provision) -> None:
    subprocess.run([Path(sys.executable).with_name("alembic"), "init", "db/schema"], check=True, capture_output=True)
    before = (shop / "db/schema/env.py").read_bytes()
    ran = provision("store", "add", "old", "--kind", "postgres", "--path", "db/schema")
    assert ran.out.startswith("  ✓ adopted  db/schema as the folder of old, as it is\n")
    assert (shop / "db/schema/env.py").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("postgres",), "store-exists"),
        (("redis", "--kind", "postgres"), "store-exists"),
        (("POSTGRES", "--kind", "redis"), "bad-name"),
        (("a/b", "--kind", "redis"), "bad-name"),
        (("a b", "--kind", "redis"), "bad-name"),
        (("größe", "--kind", "redis"), "bad-name"),
        (("", "--kind", "redis"), "bad-name"),
        (("embedded", "--kind", "redis"), "bad-name"),
        (("backfill", "--kind", "redis"), "bad-name"),
        (("other",), "unknown-kind"),
        (("other", "--kind", "postgress"), "unknown-kind"),
        (("other", "--kind", "redis", "--path", "../other"), "outside-project"),
        (("other", "--kind", "redis", "--path", "/tmp/other"), "outside-project"),
        (("other", "--kind", "redis", "--path", "."), "outside-project"),
        (("other", "--kind", "redis", "--path", ""), "outside-project"),
        (("other", "--kind", "redis", "--path", "out/inner"), "outside-project"),
        (("other", "--kind", "redis", "--path", "redis"), "shared-folder"),
        (("other", "--kind", "redis", "--path", "redis/inner"), "shared-folder"),
        (("other", "--kind", "postgres", "--path", "alembic"), "shared-folder"),
        (("other", "--kind", "redis", "--path", ".provision/x"), "shared-folder"),
        (("other", "--kind", "redis", "--path", "full"), "folder-not-empty"),
        (("other", "--kind", "redis", "--path", "a\nb"), "bad-name"),
        (("n" * 300, "--kind", "redis"), "unwritable-file"),
        (("other", "--kind", "redis", "--path", "provision.toml"), "folder-not-empty"),
    ],
)
def test_refused_before_anything_is_written(
    shop: Path, provision: Provision, tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    (shop / "full").mkdir()
    (shop / "full/notes.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (shop / "out").symlink_to(tmp_path / "elsewhere")
    with untouched(shop):
        ran = provision("store", "add", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error[{code}]: ")
    assert not list((tmp_path / "elsewhere").iterdir())


def followed(ran: Ran, provision: Provision) -> None:
    """The command of the fix, as it is printed."""
    [fix] = [line for line in ran.err.splitlines() if line.startswith("  fix ")]
    [command] = re.findall(r"`provision ([^`]*)`", fix)
    done = provision(*shlex.split(command))
    assert done.code == 0, done.err


@pytest.mark.parametrize("kind", OWN)
def test_missing_folder_is_made_by_the_command_of_its_fix(shop: Path, provision: Provision, kind: str) -> None:
    with (shop / "provision.toml").open("a") as file:
        file.write(f'\n[stores.second]\nkind = "{kind}"\npath = "db/second"\n')
    before = (shop / "provision.toml").read_text()
    ran = provision("graph")
    assert ran.err.startswith("error[missing-folder]: ")
    followed(ran, provision)
    assert provision("new", "second", "first").code == 0
    assert (shop / "provision.toml").read_text() == before


def test_shared_folder_is_parted_by_its_fix(shop: Path, provision: Provision) -> None:
    with (shop / "provision.toml").open("a") as file:
        file.write('\n[stores.second]\nkind = "postgres"\n')
    ran = provision("graph")
    assert ran.err.startswith("error[shared-folder]: ")
    [line] = re.findall(r'write (path = "\w+") there', ran.err)
    with (shop / "provision.toml").open("a") as file:
        file.write(f"{line}\n")
    followed(ran, provision)
    assert stores(shop)["second"] == ("postgres", Path("second"))
    assert provision("new", "second", "first").code == 0


def test_several_alembic_folders_become_stores_by_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision
) -> None:
    monkeypatch.chdir(tmp_path)
    bare = Path(sys.executable).with_name("alembic")
    for name in ("one", "two"):
        subprocess.run([bare, "-c", f"{name}.ini", "init", name], check=True, capture_output=True)
    ran = provision("init")
    assert ran.err.startswith("error[several-alembic-folders]: ")
    first, second = re.findall(r"`provision ([^`]*)`", ran.err)
    assert provision(*first.replace("KINDS", "redis").split()).code == 0
    for name in ("one", "two"):
        assert provision(*second.replace("NAME", name).replace("FOLDER", name).split()).code == 0
    assert stores(tmp_path) == {
        "redis": ("redis", Path("redis")),
        "one": ("postgres", Path("one")),
        "two": ("postgres", Path("two")),
    }


@pytest.mark.parametrize("how", ["postgres.url", "postgres", "{url}", "[below]"])
def test_unset_variable_goes_when_the_url_is_off(shop: Path, provision: Provision, how: str) -> None:
    """ "off" as the url, in each of the ways in which a url may be written; a token beside it is not asked for."""
    forms = {
        "postgres.url": '[environments.e]\npostgres.url = "URL"\npostgres.lock_timeout = "${NO_LIMIT}"\n',
        "postgres": '[environments.e]\npostgres = "URL"\n',
        "{url}": '[environments.e]\npostgres = {url = "URL", lock_timeout = "${NO_LIMIT}"}\n',
        "[below]": '[environments.e.postgres]\nurl = "URL"\n',
    }
    before = (shop / "provision.toml").read_text()
    (shop / "provision.toml").write_text(before + forms[how].replace("URL", "${NOWHERE_URL}"))
    ran = provision("status", "--env", "e")
    fix = 'export NOWHERE_URL, or switch the store off there: "off" as the url of postgres'
    assert ran.err.startswith("error[unset-variable]: ")
    assert fix in ran.err
    (shop / "provision.toml").write_text(before + forms[how].replace("URL", "off"))
    assert provision("status", "--env", "e").code == 0


@pytest.mark.parametrize("words", [("postgres,", "redis"), ("postgres,", "redis,", "clickhouse")])
def test_init_with_a_space_in_the_list_makes_no_project_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = provision("init", "--stores", *words)
    assert ran.code == 2
    assert list(tmp_path.iterdir()) == []
    [told] = re.findall(r"--stores (\S+)", ran.err.splitlines()[-1])
    assert provision("init", "--stores", told).code == 0
    assert list(stores(tmp_path)) == [each.strip(",") for each in words]


@pytest.mark.usefixtures("shop")
def test_doctor_asks_for_no_package_of_a_kind_that_is_not_there(
    provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provision.wiring import machine

    installed = machine._version
    foreign = ("influxdb-client", "clickhouse-connect", "clickhouse-migrations", "chdb", "urllib3")
    monkeypatch.setattr(machine, "_version", lambda name: None if name in foreign else installed(name))
    ran = provision("doctor", "--env", "local")
    assert [each for each in foreign if each in ran.out] == []
    assert ran.code == 0


def test_kinds_are_all_tried_here() -> None:
    assert [each.name for each in kinds.every() if each.package.startswith("provision.")] == list(OWN)
