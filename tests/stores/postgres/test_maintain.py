"""Jobs of maintenance on real servers: run, kept, refused, handed over to timers whose commands run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import jsonschema_rs
import psycopg
import pytest

from provision.stores.postgres.maintain.progress import told
from provision.stores.postgres.server import connect
from tests.fixes.following import failed, fix_of
from tests.stores.postgres import environments
from tests.stores.postgres.projects import BIN, Project

SCHEMAS = Path(__file__).parents[3] / "docs/schemas"
TABLES = """
create table prices (id int primary key, v text, at int);
create index prices_v on prices (v);
create index prices_lower on prices ((lower(v)));
insert into prices select i, md5(i::text), i % 7 from generate_series(1, 20000) i;
create materialized view sums as select at, count(*) as n from prices group by at;
create unique index on sums (at);
create view seen as select * from sums;
create materialized view averages as select at, avg(n) as n from seen group by at;
create unique index on averages (at);
create materialized view bare as select 1 as one;
create table parted (id int, at date) partition by range (at);
create table parted_1 partition of parted for values from ('2026-01-01') to ('2027-01-01');
"""
JOBS = """
jobs:
  views: {store: postgres, every: hour, refresh: [averages, sums]}
  statistics: {store: postgres, every: day, at: "03:30", analyze: [parted, prices]}
  indexes: {store: postgres, every: week, on: sunday, reindex: {tables: [prices], bloat: 30, larger_than: 50 kB}}
"""


@pytest.fixture
def prices(project: Project) -> Project:
    environments.written(project.root, environments.PLAIN)
    execute(project, TABLES)
    jobs(project, JOBS)
    return project


def execute(project: Project, sql: str) -> None:
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute(sql.encode())


def jobs(project: Project, text: str) -> None:
    (project.root / "maintain.yaml").write_text(text)


def one(project: Project, body: str) -> None:
    jobs(project, f"jobs:\n  j: {{store: postgres, every: hour, {body}}}\n")


def test_views_are_refreshed_after_those_that_they_read(prices: Project) -> None:
    execute(prices, "insert into prices values (0, 'x', 99)")

    ran = prices.done("maintain", "run", "views")

    assert re.findall(r"✓ refresh (\w+)", ran.out) == ["sums", "averages"]
    assert prices.rows("select count(*) from averages where at = 99") == [(1,)]


def test_a_view_that_was_never_filled_is_filled(prices: Project) -> None:
    execute(prices, "create materialized view v as select 1 as a with no data; create unique index on v (a)")
    one(prices, "refresh: [v]")

    prices.done("maintain", "run")

    assert prices.rows("select a from v") == [(1,)]


def test_analyze_makes_statistics_of_a_partitioned_table(prices: Project) -> None:
    execute(prices, "insert into parted select i, '2026-02-02' from generate_series(1, 100) i")

    prices.done("maintain", "run", "statistics")

    assert prices.rows("select count(*) from pg_stats where tablename = 'parted' and inherited") == [(2,)]


def test_only_bloated_indexes_are_rebuilt_and_what_was_cut_short_is_dropped(prices: Project) -> None:
    execute(prices, "vacuum analyze prices")
    assert "nothing to do" in prices.done("maintain", "run", "indexes").out
    execute(prices, "delete from prices where id % 5 <> 0")
    execute(prices, "vacuum analyze prices")
    # What REINDEX CONCURRENTLY leaves behind when it is ended in the middle.
    execute(prices, "create index prices_v_ccnew on prices (v)")
    execute(prices, "update pg_index set indisvalid = false where indexrelid = 'prices_v_ccnew'::regclass")

    ran = prices.done("maintain", "run", "indexes")

    done = re.findall(r"✓ (.+?)(?:,|  )", ran.out)
    assert done[0] == "drop prices_v_ccnew"
    assert sorted(done[1:]) == ["rebuild prices_lower", "rebuild prices_pkey", "rebuild prices_v"]
    assert prices.rows("select to_regclass('prices_v_ccnew')") == [(None,)]
    assert "nothing to do" in prices.done("maintain", "run", "indexes").out


def test_what_fails_stops_neither_its_job_nor_others_and_is_kept(prices: Project) -> None:
    execute(prices, "create function f(int) returns int language sql as 'select $1'")
    execute(prices, "create materialized view broken as select f(at) as a from sums; create unique index on broken (a)")
    execute(prices, "create or replace function f(int) returns int language sql as 'select 1 / 0'")
    jobs(
        prices,
        "jobs:\n  first: {store: postgres, every: hour, refresh: [broken, averages]}\n"
        "  then: {store: postgres, every: hour, analyze: [prices]}\n",
    )

    ran = prices.provision("maintain", "run")

    assert ran.code == 5
    assert "✗ refresh broken" in ran.out
    assert "✓ refresh averages" in ran.out
    assert "✓ analyze prices" in ran.out
    assert "error[job-failed]: refresh broken: division by zero\n  where  maintain.yaml:2:3" in ran.err
    kept = prices.rows("select job, error from provision.maintain_log where ended_at is not null order by id")
    assert kept == [("first", "refresh broken: division by zero"), ("then", "")]
    status = prices.provision("maintain", "status")
    assert status.code == 1
    assert "✗ first" in status.out
    assert "✓ then" in status.out


def test_status_follows_its_schema_and_a_run_that_was_killed_is_cut_short(prices: Project) -> None:
    prices.done("maintain", "run", "views")
    execute(
        prices,
        "insert into provision.maintain_log (project, store, job, actor, pid, process)"
        " select project, store, 'indexes', actor, 1, regexp_replace(process, '[0-9]+$', '7')"
        " from provision.maintain_log",
    )

    ran = prices.provision("maintain", "status", "-o", "json")

    found = json.loads(ran.out)
    jsonschema_rs.validator_for(json.loads((SCHEMAS / "maintain_status.json").read_text())).validate(found)
    states = {each["job"]: each["last"] and each["last"]["state"] for each in found}
    assert states == {"views": "done", "statistics": None, "indexes": "cut short"}
    assert ran.code == 1


def test_a_job_that_nobody_runs_any_more_is_overdue(prices: Project) -> None:
    prices.done("maintain", "run", "views", "statistics")
    assert "overdue" not in prices.done("maintain", "status").out
    execute(prices, "update provision.maintain_log set began_at = now() - interval '26 hours', ended_at = now()")

    ran = prices.provision("maintain", "status")

    assert ran.code == 1, ran.out
    assert [line.split()[1] for line in ran.out.splitlines() if "✗" in line] == ["views"], ran.out
    assert ran.out.count("is overdue: nobody ran it since") == 1


CALLED = {
    "[count_prices]": 0,
    "[public.count_prices]": 0,
    "[count]": "error[unknown-function]: postgres has no function count without arguments",
    "['count_prices(); drop table prices']": "error[unknown-function]",
    "[sums]": "error[unknown-function]",
}


@pytest.mark.parametrize(("names", "said"), CALLED.items(), ids=CALLED)
def test_a_function_is_called(prices: Project, names: str, said: object) -> None:
    execute(
        prices,
        "create table counted (n bigint); create function count_prices() returns void language sql"
        " as $$ insert into counted select count(*) from prices $$",
    )
    one(prices, f"call: {names}")

    ran = prices.provision("maintain", "run")

    assert ran.code == (2 if said else 0), ran.err
    assert str(said or "") in ran.err
    assert prices.rows("select * from counted") == ([] if said else [(20000,)])


def test_a_function_that_is_not_there_is_made_as_the_fix_says(prices: Project) -> None:
    one(prices, "call: [count_prices]")
    ran = failed("unknown-function", prices.provision("maintain", "run"))
    [create] = re.findall(r"let a migration (CREATE FUNCTION) it", fix_of(ran))

    execute(prices, f"{create} count_prices() returns void language sql as 'select'")
    assert prices.provision("maintain", "run").code == 0


def test_windows_are_merged_by_a_job(prices: Project) -> None:
    execute(prices, "create table parted_2 partition of parted for values from ('2010-01-01') to ('2010-02-01')")
    execute(prices, "create table parted_3 partition of parted for values from ('2010-02-01') to ('2010-03-01')")
    (prices.root / "partitions").mkdir()
    text = "store: postgres\ntable: parted\ncolumn: at\ninterval: 1 month\n"
    (prices.root / "partitions/parted.yaml").write_text(f"{text}merge_after: {{age: 12 months, into: year}}\n")
    one(prices, "partitions: merge")

    ran = prices.done("maintain", "run")

    assert "merged into 1 window" in ran.out, ran.out
    assert prices.rows("select count(*) from pg_inherits where inhparent = 'parted'::regclass") == [(2,)]


def test_reading_writes_nothing(prices: Project) -> None:
    assert prices.done("maintain", "status").code == 0
    prices.done("maintain", "install")
    assert prices.rows("select to_regnamespace('provision')") == [(None,)]


def test_a_job_is_run_by_one_process_at_a_time(prices: Project) -> None:
    with psycopg.connect(prices.url, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtext('provision maintain'), hashtext('peers/postgres/views'))")
        ran = prices.provision("maintain", "run", "views")
        pid = other.info.backend_pid
    assert ran.code == 5
    told = f"error[job-runs-already]: views is run already, by pid {pid} (postgres) since TIME UTC\n"
    assert ran.err.startswith(told), ran.err
    prices.done("maintain", "run", "views")


@pytest.mark.parametrize("body", ["refresh: [sums]", "call: [note]", "reindex: {tables: [prices], bloat: 30}"])
def test_a_job_waits_for_others_as_long_as_is_said_and_names_them(prices: Project, body: str) -> None:
    execute(prices, "create function note() returns void language sql as 'insert into prices values (-1)'")
    execute(prices, "delete from prices where id % 10 > 0")
    execute(prices, "vacuum analyze prices")
    jobs(prices, f"jobs:\n  one: {{store: postgres, every: day, {body.replace('30}', '30, larger_than: 50 kB}')}}}\n")
    with psycopg.connect(prices.url, application_name="rival") as rival:
        rival.execute("lock table prices")
        pid = rival.info.backend_pid

        for wait in ("0", "200ms"):
            ran = prices.provision("maintain", "run", "--wait", wait)
            assert (ran.code, "error[table-locked]" in ran.err) == (5, True), ran.out + ran.err
        assert f"pid {pid} (postgres, rival)" in ran.err + ran.out

    assert prices.provision("maintain", "run", "--wait", "200ms").code == 0
    assert prices.rows("select count(*) from pg_index where not indisvalid") == [(0,)]


def test_readers_and_writers_go_on_while_views_and_indexes_are_made_anew(prices: Project) -> None:
    """The reader's transaction stays open: what waits for it must not keep others out."""
    execute(prices, "delete from prices where id % 5 <> 0")
    execute(prices, "vacuum analyze prices")
    with psycopg.connect(prices.url) as reader:
        reader.execute("select count(*) from prices")
        run = subprocess.Popen([BIN / "provision", "maintain", "run", "indexes", "views"], stdout=subprocess.DEVNULL)
        try:
            for _ in range(300):
                time.sleep(0.1)
                with psycopg.connect(prices.url, autocommit=True) as other:
                    other.execute("set lock_timeout = '5s'")
                    other.execute("update prices set at = 1 where id = 5")
                if prices.rows("select 1 from pg_class where relname ~ '_cc(new|old)'"):
                    break
            else:
                pytest.fail("no rebuild began beside the reader")
        finally:
            reader.commit()
            assert run.wait(60) == 0
    assert prices.rows("select count(*) from pg_index where not indisvalid") == [(0,)]


def test_whom_a_long_statement_waits_for_is_said(prices: Project) -> None:
    said, heard = list[str](), threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("waits for "):
            heard.set()

    with connect(prices.url, "postgres") as worker, psycopg.connect(prices.url, application_name="report") as reader:
        reader.execute("select count(*) from prices")
        statement = threading.Thread(target=lambda: worker.execute("reindex index concurrently prices_v"))
        with told(lambda: connect(prices.url, "postgres"), worker.info.backend_pid, say, every=0.05):
            statement.start()
            try:
                assert heard.wait(30)
                waits = f"waits for report (pid {reader.info.backend_pid}, idle in transaction)"
                assert waits in said
            finally:
                reader.commit()
                statement.join(60)


WRONG = [
    (
        "refesh: [sums]",
        "error[document-invalid]: jobs.j has no key refesh\n  where  maintain.yaml:2:37\n  fix    did you",
    ),
    ("refresh: [summs]", "error[unknown-table]: postgres has no materialized view summs\n  where  maintain.yaml:2:3\n"),
    ("analyze: [a.b.c.d]", "error[unknown-table]: postgres has no table a.b.c.d\n"),
    ("analyze: ['\"']", 'error[unknown-table]: postgres has no table "\n'),
    ("analyze: ['prices; drop table prices']", "error[unknown-table]: postgres has no table prices; drop table prices"),
    ('analyze: ["\\0"]', "error[unknown-table]: postgres has no table "),
    ("refresh: [prices]", "error[wrong-table]: prices is no materialized view\n"),
    ("analyze: [seen]", "error[wrong-table]: seen is no table\n"),
    ("refresh: [bare]", "error[no-unique-index]: bare has no unique index on plain columns: it cannot be refreshed"),
    ("refresh: []", "error[document-invalid]: jobs.j.refresh is []"),
    ("trim: declared", "error[document-invalid]: jobs.j has no key trim\n"),
    ("analyze: all, refresh: all", "error[bad-job]: j is analyze and refresh in one\n"),
    ("description: nothing", "error[bad-job]: j does not say what it does\n"),
    ("partitions: ensure", "error[bad-job]: j keeps windows, and no document of partitions/ is of postgres\n"),
    ("backfill: nothing", "error[unknown-backfill]: no backfill is called nothing\n"),
    ("on: monday, analyze: all", "error[bad-job]: j: on is of weekly jobs, and this one is due every hour\n"),
]


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_what_is_wrong_with_a_job_is_told(prices: Project, body: str, message: str) -> None:
    one(prices, body)
    ran = prices.provision("maintain", "run")
    assert ran.code == 2
    assert ran.err.startswith(message), ran.err
    assert prices.rows("select to_regnamespace('provision')") == [(None,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "error[no-maintain]: maintain.yaml describes no job\n"),
        ("- a\n", "error[document-invalid]: the file is not a mapping of keys\n"),
        ("jobs: {}\n", "error[document-invalid]: jobs is empty\n"),
        ("jobs:\n  J: 3\n", "error[document-invalid]: "),
        ("jobs:\n  j: {store: pg, every: hour, analyze: all}\n", "error[unknown-store]: no store is called 'pg'\n"),
        ("jobs:\n  j: {every: hour, analyze: all}\n", "error[document-invalid]: jobs.j lacks store\n"),
        (
            "jobs:\n  j: {store: postgres, every: 7 minutes, analyze: all}\n",
            "error[bad-job]: j: every 7 minutes has no",
        ),
        ("jobs:\n  j: {store: postgres, every: 99 hours, analyze: all}\n", "error[bad-job]: j: every 99 hours has no"),
        ("jobs:\n  j: {store: postgres, every: 0 hours, analyze: all}\n", "error[document-invalid]: jobs.j.every is 0"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(prices: Project, text: str, message: str) -> None:
    jobs(prices, text)
    ran = prices.provision("maintain", "status")
    assert ran.code == 2
    assert ran.err.startswith(message), ran.err


def test_no_file_and_no_such_job_are_told(prices: Project) -> None:
    assert prices.provision("maintain", "run", "vews").err == (
        "error[unknown-job]: no job is called vews\n  where  maintain.yaml\n  fix    did you mean views?\n"
    )
    (prices.root / "maintain.yaml").unlink()
    assert prices.provision("maintain", "status").err.startswith(
        "error[no-maintain]: the project has no maintain.yaml\n"
    )


def test_a_user_who_may_not_is_told_before_anything_is_done(prices: Project) -> None:
    execute(prices, "drop role if exists reader; create role reader")
    try:
        (prices.root / "provision.toml").write_text(
            (prices.root / "provision.toml")
            .read_text()
            .replace("[stores.postgres]\n", '[stores.postgres]\nrole = "reader"\n')
        )
        ran = prices.provision("maintain", "run", "views")
        assert ran.code == 2
        assert "error[not-allowed]: reader may not refresh averages, which belongs to postgres\n" in ran.err
    finally:
        execute(prices, "drop role reader")


def test_without_pg_cron_a_timer_is_printed_whose_command_runs(prices: Project) -> None:
    ran = prices.done("maintain", "install")

    assert "postgres  the server has no pg_cron" in ran.err or "pg_cron is installed and not loaded" in ran.err
    lines = [line for line in ran.out.splitlines() if line and not line.startswith(("#", "CRON_TZ"))]
    assert [re.match(r"(\S+ ){5}", line)[0] for line in lines] == ["0 * * * * ", "30 3 * * * ", "14 2 * * 0 "]  # type: ignore[index]
    command = re.sub(r"^(\S+ ){5}", "", lines[0]).replace(r"\%", "%")
    subprocess.run(["/bin/sh", "-c", command], check=True, cwd="/", timeout=60)
    assert prices.rows("select job, error from provision.maintain_log") == [("views", "")]


def test_units_of_systemd_are_right_and_their_command_runs(prices: Project, tmp_path: Path) -> None:
    prices.done("maintain", "install", "--as", "systemd", "--out", tmp_path / "units")

    services = sorted((tmp_path / "units").glob("*.service"))
    assert [each.name for each in services] == [
        f"provision-peers-{job}.service" for job in ("indexes", "statistics", "views")
    ]
    calendars = [re.search("OnCalendar=(.+)", each.read_text())[1] for each in (tmp_path / "units").glob("*.timer")]  # type: ignore[index]
    assert len(calendars) == 3
    if shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", *calendars], check=True, capture_output=True)
    text = services[-1].read_text()
    folder, command = re.search(r"WorkingDirectory=(.+)\nExecStart=(.+)\n", text).groups()  # type: ignore[union-attr]
    subprocess.run(["/bin/sh", "-c", command], check=True, cwd=folder, timeout=60)
    assert prices.rows("select job, error from provision.maintain_log") == [("views", "")]


def test_a_cron_job_of_kubernetes_runs_the_same_command(prices: Project) -> None:
    ran = prices.done("maintain", "install", "--as", "kubernetes", "--image", "registry/shop:1", "-o", "json")

    files = json.loads(ran.out)["timers"]["files"]
    text = files["peers-views.yaml"]
    assert "kind: CronJob" in text
    assert 'schedule: "0 * * * *"\n  timeZone: Etc/UTC\n  concurrencyPolicy: Forbid' in text
    assert 'image: "registry/shop:1"' in text
    command = json.loads(re.search(r"command: (\[.+\])", text)[1])  # type: ignore[index]
    assert prices.done(*command[1:]).code == 0
    assert prices.rows("select job, error from provision.maintain_log") == [("views", "")]
