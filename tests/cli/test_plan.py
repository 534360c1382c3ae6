"""`plan`: the steps of `up`, their statements, what they can lose; and a plan that is saved and run later."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.expected import Expected
from tests.servers.command_line import Provision

OFFLINE = """\
small · offline, as if nothing was applied
    1  postgres/0001   Accounts
    2  clickhouse/001  events of orders
    3  redis/0001      Who signed in
    4  postgres/0002   Orders of accounts
    5  redis/0002      A second reader of the sign-ins
    6  postgres/0003   Notes on orders, read back while they are made
       loses data: its author says that it loses data
    7  clickhouse/002  events per day
7 to apply, 1 of them can lose data (--allow-destructive)
"""
WITH_SQL = """\
small · offline, as if nothing was applied
    1  postgres/0001   Accounts
       CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL);
    2  clickhouse/001  events of orders
       -- description: events of orders
       CREATE TABLE events (id UInt64, at DateTime) ENGINE = MergeTree ORDER BY id;
    3  postgres/0002   Orders of accounts
       CREATE TABLE orders (id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts);
    4  clickhouse/002  events per day
       -- description: events per day
       -- requires: postgres/0002
       CREATE TABLE event_counts (day Date, events UInt64) ENGINE = SummingMergeTree ORDER BY day;
4 to apply
"""
AFTER_THREE = """\
small · test
  postgres    postgres 18.4    postgresql:///small_N
  clickhouse  clickhouse 26.9  clickhouse://HOST/small_N
  redis       redis 6.2.14     redis://HOST/0
    1  postgres/0002   Orders of accounts
    2  redis/0002      A second reader of the sign-ins
    3  postgres/0003   Notes on orders, read back while they are made
       loses data: its author says that it loses data
    4  clickhouse/002  events per day
4 to apply, 1 of them can lose data (--allow-destructive); run it: provision up --allow-destructive --env test
"""
STALE = """\
error[stale-plan]: the plan was made from another state: postgres changed since
  where  postgres/0001: pending when planned, applied now
  fix    make the plan again: `provision plan --out FILE`
"""
STALE_FILE = """\
error[stale-plan]: the plan was made from another state: redis changed since
  where  redis/0002: its file was edited
  fix    make the plan again: `provision plan --out FILE`
"""


@pytest.mark.usefixtures("files")
def test_plan_offline_needs_no_environment(provision: Provision) -> None:
    assert provision("plan", "--offline") == (0, OFFLINE, "")


@pytest.mark.usefixtures("files")
def test_plan_offline_for_an_environment_that_is_not_there_says_so(provision: Provision) -> None:
    ran = provision("plan", "--offline", "--env", "nowhere")
    assert (ran.code, ran.out, "error[unknown-environment]" in ran.err) == (2, "", True)


@pytest.mark.usefixtures("files")
def test_plan_offline_sql_prints_the_statements_of_the_target(provision: Provision) -> None:
    assert provision("plan", "--offline", "--sql", "clickhouse/002") == (0, WITH_SQL, "")


@pytest.mark.usefixtures("files")
def test_plan_json_says_why_a_revision_has_no_sql(provision: Provision) -> None:
    document = json.loads(provision("plan", "--offline", "-o", "json").out)
    assert (document["project"], document["environment"], document["held"]) == ("small", None, [])
    assert [step["id"] for step in document["steps"]][:2] == ["postgres/0001", "clickhouse/001"]
    assert document["steps"][5] == {
        "id": "postgres/0003",
        "description": "Notes on orders, read back while they are made",
        "destructive": ["its author says that it loses data"],
        "sql": None,
        "reason": "cannot be shown offline: AttributeError: 'MockConnection' object has no attribute 'exec_driver_sql'",
    }
    assert document["steps"][3]["sql"] == [
        "CREATE TABLE orders (id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts)"
    ]


def test_plan_json_lists_what_is_held(files: Path, provision: Provision) -> None:
    file = files / "redis" / "0002_second_reader.yaml"
    file.write_text(file.read_text().replace("[clickhouse/001]", "[backfill/orders]"))
    (files / "backfills").mkdir()
    (files / "backfills" / "orders.yaml").write_text("store: redis\npattern: orders:*\nttl: 1h\n")
    document = json.loads(provision("plan", "--offline", "-o", "json", "--only", "redis").out)
    assert [step["id"] for step in document["steps"]] == ["redis/0001"]
    assert document["held"] == [{"id": "redis/0002", "waits_for": ["backfill/orders"]}]


@pytest.mark.usefixtures("files")
def test_plan_offline_cannot_be_saved(expected: Expected, provision: Provision) -> None:
    ran = provision("plan", "--offline", "--out", "plan.json")
    assert (ran.code, ran.out) == (2, "")
    expected(ran.err)


@pytest.mark.usefixtures("files")
def test_plan_unknown_target_names_near_ones(expected: Expected, provision: Provision) -> None:
    ran = provision("plan", "--offline", "postgres/001")
    assert (ran.code, ran.out) == (2, "")
    expected(ran.err)


@pytest.mark.usefixtures("small")
def test_plan_after_some_lists_the_rest(provision: Provision) -> None:
    provision("up", "--steps", "3")
    assert provision("plan") == (0, AFTER_THREE, "")


def test_plan_edited_revision_is_refused(small: Path, provision: Provision) -> None:
    provision("up", "clickhouse/001")
    file = small / "clickhouse" / "001_events.sql"
    file.write_text(file.read_text() + "-- edited\n")
    ran = provision("plan")
    assert (ran.code, ran.err.splitlines()[0]) == (
        3,
        "error[revision-changed]: clickhouse/001_events was edited after it was applied",
    )


@pytest.mark.usefixtures("small")
def test_plan_complete_has_nothing_to_do(provision: Provision) -> None:
    provision("up", "--allow-destructive")
    ran = provision("plan", "--sql")
    assert (ran.code, ran.out.splitlines()[0], ran.out.splitlines()[-1]) == (0, "small · test", "nothing to do")


@pytest.mark.usefixtures("small")
def test_saved_plan_runs_its_own_steps_and_no_more(provision: Provision) -> None:
    ran = provision("plan", "redis/0001", "--out", "plan.json")
    assert ran.err == "saved; run it: provision up --plan plan.json --env test\n"
    ran = provision("up", "--plan", "plan.json", "-o", "json")
    assert [step["id"] for step in json.loads(ran.out)["applied"]] == ["redis/0001"]


@pytest.mark.usefixtures("small")
def test_saved_plan_stale_names_the_revision_that_moved(provision: Provision) -> None:
    provision("plan", "--out", "plan.json")
    provision("up", "postgres/0001")
    ran = provision("up", "--plan", "plan.json")
    assert (ran.code, ran.err) == (3, STALE)


def test_saved_plan_with_an_edited_file_is_stale(small: Path, provision: Provision) -> None:
    provision("plan", "--out", "plan.json")
    file = small / "redis" / "0002_second_reader.yaml"
    file.write_text(file.read_text() + "# edited\n")
    ran = provision("up", "--plan", "plan.json")
    assert (ran.code, ran.err) == (3, STALE_FILE)


def test_saved_plan_holds_no_secret(small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_REDIS", os.environ["SMALL_REDIS"] + "?password=hunter2-in-the-url")
    revision = small / "alembic" / "versions" / "0001_accounts.py"
    revision.write_text(revision.read_text().replace("name text", "name text default 'hunter2-in-the-url'"))
    provision("plan", "--out", "plan.json")
    text = (small / "plan.json").read_text()
    assert "CREATE TABLE accounts" in text
    assert "://" not in text
    assert "hunter2" not in text


def test_saved_plan_of_another_environment_is_refused(
    expected: Expected, small: Path, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision("plan", "--out", "plan.json")
    toml = small / "provision.toml"
    toml.write_text(toml.read_text().replace("environments.test", "environments.other"))
    monkeypatch.setenv("PROVISION_ENV", "other")
    expected(provision("up", "--plan", "plan.json").err)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "it has no 'format'"),
        ("no json", "it is not JSON"),
        ('{"format": 1}', "format 1, this version reads format 3"),
    ],
)
def test_saved_plan_that_is_none_is_refused(small: Path, provision: Provision, text: str, why: str) -> None:
    (small / "plan.json").write_text(text)
    ran = provision("up", "--plan", "plan.json")
    assert (ran.code, ran.err) == (
        2,
        f"error[plan-invalid]: plan.json is no saved plan: {why}\n"
        "  where  plan.json\n"
        "  fix    make one: `provision plan --out FILE`\n",
    )


@pytest.mark.usefixtures("small")
def test_saved_plan_in_a_missing_folder_is_refused(expected: Expected, provision: Provision) -> None:
    ran = provision("plan", "--out", "nowhere/plan.json")
    assert ran.code == 2
    expected(ran.err)
