"""Saved plans: complete, the same everywhere, refused when what they touch has moved; shown and written as a page."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.expected import Expected
from tests.servers.command_line import Provision

ALTERS = '''\
"""Orders have a status."""

revision = "0004"
down_revision = "0003"

from alembic import op


def upgrade():
    op.execute("ALTER TABLE orders ADD COLUMN status text NOT NULL DEFAULT 'new'")
    op.execute("CREATE INDEX orders_status ON orders (status)")


def downgrade():
    op.execute("ALTER TABLE orders DROP COLUMN status")
'''


def execute(*statements: str) -> None:
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


def step(file: Path, name: str) -> dict[str, object]:
    [found] = [each for each in json.loads(file.read_text())["steps"] if each["id"] == name]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def altering(small: Path, provision: Provision) -> Path:
    """Everything applied, and one revision more that alters a table; its plan is in plan.json."""
    assert provision("up", "--allow-destructive").code == 0
    (small / "alembic" / "versions" / "0004_status.py").write_text(ALTERS)
    assert provision("plan", "--out", "plan.json").code == 0
    return small


def test_plan_file_says_all_of_a_step(altering: Path) -> None:
    found = step(altering / "plan.json", "postgres/0004")
    assert found["statements"] == [
        "ALTER TABLE orders ADD COLUMN status text NOT NULL DEFAULT 'new'",
        "CREATE INDEX orders_status ON orders (status)",
    ]
    assert found["locks"] == [{"table": "public.orders", "mode": "access exclusive"}]
    assert (found["destructive"], found["unknown"], found["reason"]) == ([], None, None)
    touches = found["touches"]
    assert isinstance(touches, list)
    assert {"writes relation public.orders column status", "writes relation public.orders_status"} <= set(touches)
    objects = json.loads((altering / "plan.json").read_text())["objects"]["postgres"]
    assert objects["names"] == ["relation public.orders", "relation public.orders_status"]
    assert "table public.orders" in objects["digests"]
    assert "table public.accounts" not in objects["digests"]


def test_plan_is_the_same_letter_for_letter_on_another_machine(
    altering: Path, provision: Provision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = (altering / "plan.json").read_bytes()
    assert provision("plan", "--out", "again.json").code == 0
    assert (altering / "again.json").read_bytes() == first

    # Another folder and another database, made by the same revisions.
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(altering, elsewhere, ignore=shutil.ignore_patterns("*.json", "__pycache__"))
    monkeypatch.chdir(elsewhere)
    name = f"{urlsplit(os.environ['SMALL_POSTGRES']).path[1:]}_other"
    execute(f"CREATE DATABASE {name}")
    here = os.environ["SMALL_POSTGRES"]
    try:
        monkeypatch.setenv("SMALL_POSTGRES", urlsplit(here)._replace(path=f"/{name}").geturl())
        assert provision("up", "postgres/0003", "--allow-destructive").code == 0
        assert provision("plan", "--out", "plan.json").code == 0
        assert (elsewhere / "plan.json").read_bytes() == first
    finally:
        monkeypatch.setenv("SMALL_POSTGRES", here)
        execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("by_hand", "where"),
    [
        ("ALTER TABLE orders ADD COLUMN note text", "postgres: table public.orders is changed"),
        ("CREATE INDEX by_account ON orders (account_id)", "postgres: index public.by_account is new"),
        ("CREATE TABLE orders_status (id int)", "postgres: table public.orders_status is new"),
    ],
)
@pytest.mark.usefixtures("altering")
def test_plan_is_refused_when_an_object_that_it_touches_moved(provision: Provision, by_hand: str, where: str) -> None:
    execute(by_hand)
    ran = provision("up", "--plan", "plan.json")
    assert (ran.code, ran.err) == (
        3,
        "error[stale-plan]: the plan was made from another state: objects that it touches were changed since\n"
        f"  where  {where}\n"
        "  fix    make the plan again: `provision plan --out FILE`; `provision drift` names what was changed by hand\n",
    )
    assert provision("status", "--check").code == 1


@pytest.mark.usefixtures("altering")
def test_plan_runs_when_what_moved_is_none_of_its_own(provision: Provision) -> None:
    execute("ALTER TABLE accounts ADD COLUMN note text", "CREATE TABLE beside (id int)")
    assert provision("up", "--plan", "plan.json").code == 0
    assert provision("status", "--check").code == 0


def test_plan_is_refused_when_a_file_would_run_other_statements(
    small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small / "alembic" / "versions" / "0001_accounts.py"
    text = file.read_text().replace("from alembic import op", "import os\n\nfrom alembic import op")
    file.write_text(text.replace('"CREATE TABLE accounts', 'os.environ["SORT"] + "TABLE accounts'))
    monkeypatch.setenv("SORT", "CREATE ")
    assert provision("plan", "postgres/0001", "--out", "plan.json").code == 0
    monkeypatch.setenv("SORT", "CREATE UNLOGGED ")
    ran = provision("up", "--plan", "plan.json")
    assert (ran.code, ran.err.splitlines()[:2]) == (
        3,
        [
            "error[stale-plan]: postgres/0001 would run other statements than the plan shows",
            "  where  alembic/versions/0001_accounts.py, or what it takes from elsewhere",
        ],
    )


def test_plan_of_what_cannot_be_read_watches_the_whole_store(small: Path, provision: Provision) -> None:
    assert provision("up", "postgres/0002").code == 0
    assert provision("plan", "--out", "plan.json", "--only", "postgres").code == 0
    assert json.loads((small / "plan.json").read_text())["objects"]["postgres"]["names"] is None
    execute("CREATE TABLE beside (id int)")
    ran = provision("up", "--plan", "plan.json", "--allow-destructive")
    assert (ran.code, "postgres: table public.beside is new" in ran.err) == (3, True)


@pytest.mark.usefixtures("altering")
def test_plan_show_prints_it_without_a_database(
    provision: Provision, expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_POSTGRES", "postgresql://nobody@127.0.0.1:1/nothing")
    ran = provision("plan", "show", "plan.json")
    assert (ran.code, ran.err) == (0, "")
    expected(ran.out)


def test_plan_show_as_json_is_the_file(altering: Path, provision: Provision) -> None:
    ran = provision("plan", "show", "plan.json", "-o", "json")
    assert json.loads(ran.out) == json.loads((altering / "plan.json").read_text())


def test_plan_show_report_is_a_page_with_everything(small: Path, provision: Provision) -> None:
    assert provision("up", "postgres/0002").code == 0
    assert provision("plan", "--out", "plan.json").code == 0
    assert provision("plan", "show", "plan.json", "--report", "plan.html").code == 0
    page = (small / "plan.html").read_text()
    for text in (
        "CREATE TABLE event_counts",
        "loses data: its author says that it loses data",
        "cannot be shown offline",
    ):
        assert text in page
    assert page.count("<h2>") == 6


@pytest.mark.usefixtures("files")
def test_plan_show_of_what_is_none_says_so(provision: Provision) -> None:
    ran = provision("plan", "show", "nowhere.json")
    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        "error[plan-invalid]: nowhere.json is no saved plan: no such file or directory",
    )


EDITS = {
    "a statement": lambda plan: plan["steps"][0].update(statements=["DROP TABLE orders"]),
    "a checksum": lambda plan: plan["steps"][0].update(checksum="0"),
    "a step that is left out": lambda plan: plan["steps"].pop(0),
    "a step that comes twice": lambda plan: plan["steps"].append(plan["steps"][0]),
    "a step that nobody knows": lambda plan: plan["steps"][0].update(id="redis/0099"),
    "the order": lambda plan: plan["steps"].reverse(),
    "a loss": lambda plan: plan["steps"][0].update(destructive=["all"]),
    "a lock": lambda plan: plan["steps"][0].update(locks=[{"table": "t", "mode": "odd"}]),
    "the environment": lambda plan: plan.update(environment="production"),
    "the project": lambda plan: plan.update(project="other"),
    "no objects": lambda plan: plan.update(objects={}),
    "no digest": lambda plan: plan.update(digest={}),
    "no basis": lambda plan: plan.update(basis={}),
    "what is held": lambda plan: plan.update(held={"redis/0002": ["x"]}),
    "more than there was": lambda plan: plan.update(note="x"),
    "no seal": lambda plan: plan.pop("seal"),
}
TEXTS = {"cut short": '{"format": 3, "steps"', "empty": "", "nothing": "null", "deep": "[" * 200_000}


@pytest.fixture
def planned(files: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch, redis_6: str) -> Path:
    """The plan of two streams on an empty Redis."""
    toml = (
        '[project]\nname = "small"\nhome = "redis"\n[stores.redis]\n[environments.test]\nredis.url = "${SMALL_REDIS}"\n'
    )
    (files / "provision.toml").write_text(toml)
    for number, name in enumerate(("one", "two"), 1):
        text = f"up:\n  - create_stream: {{name: {name}, maxlen: 10, description: all}}\ndown: auto\n"
        (files / "redis" / f"000{number}_{name}.yaml").write_text(text)
    for each in ("0001_sign_ins.yaml", "0002_second_reader.yaml"):
        (files / "redis" / each).unlink()
    with redis.Redis.from_url(redis_6) as client:
        client.flushall()
    monkeypatch.setenv("SMALL_REDIS", redis_6)
    monkeypatch.setenv("PROVISION_ENV", "test")
    assert provision("plan", "--out", "plan.json").code == 0
    return files / "plan.json"


def test_plan_that_was_edited_is_neither_run_nor_shown(planned: Path, provision: Provision) -> None:
    made = planned.read_text()
    wrong = {}
    for what, edit in EDITS.items():
        document = json.loads(made)
        edit(document)
        wrong[what] = json.dumps(document)
    for what, text in {**wrong, **TEXTS}.items():
        planned.write_text(text)
        for command in (("up", "--plan", "plan.json"), ("plan", "show", "plan.json")):
            ran = provision(*command)
            assert (ran.code, ran.err.partition(":")[0]) == (2, "error[plan-invalid]"), (what, command, ran.err)
    assert json.loads(provision("status", "--output", "json").out)["stores"][0]["applied"] == 0


def test_plan_of_another_project_is_refused_and_other_line_ends_run(planned: Path, provision: Provision) -> None:
    toml = planned.with_name("provision.toml")
    toml.write_text(toml.read_text().replace('"small"', '"other"'))
    ran = provision("up", "--plan", "plan.json")
    assert (ran.code, ran.err.partition(":")[0]) == (2, "error[plan-environment]")
    assert "the plan was made for the project small, not for other" in ran.err

    toml.write_text(toml.read_text().replace('"other"', '"small"'))
    planned.write_bytes(planned.read_bytes().replace(b"\n", b"\r\n"))
    assert provision("up", "--plan", "plan.json").code == 0
