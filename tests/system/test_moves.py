"""The shipped databases up, up again, down and up, on each set of servers."""

from __future__ import annotations

import re
from functools import partial

import clickhouse_connect
import psycopg
import redis

from . import sites
from .sites import ALL_DOWN, Site

ROUNDS = 3
NO_CHANGE = ("postgres/0055", "postgres/0059")  # they fill what is there, and index windows that hold rows
_OBJECTS = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL SELECT n.nspname || '.' || p.proname || '()' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
"""
# All that may differ in pg_dump's text: 18 gives NOT NULL constraints names, printed where they had to be cut short.
_ONLY_18 = re.compile(
    r" CONSTRAINT user_probability_preference_"
    r"(confidence_alert_threshold|uncertainty_warning_thresh)_not_null(?= NOT NULL)"
)
# Redis 7 says of every group how far it has read; 6.2 does not know.
_ONLY_7 = re.compile(r'"entries-read": null, "lag": 0, ')


def test_up_again_does_nothing_and_writes_nothing(site: Site) -> None:
    before = site.events()
    again = site.spawn("up", "--env", site.environment)
    assert (again.code, again.last, again.err) == (0, "nothing to do", "")
    assert site.events() == before


def test_up_again_as_json_is_one_document_of_nothing(site: Site) -> None:
    again = site.good("up", "--output", "json").document
    assert again == {"applied": [], "failed": None, "remaining": [], "held": [], "duration_ms": 0}


def test_status_says_everything_is_applied(site: Site) -> None:
    status = site.status()
    assert (status["project"], status["environment"]) == ("vfr", site.environment)
    assert [(each["store"], each["state"], each["pending"]) for each in status["stores"]] == [
        ("postgres", "ready", 0),
        ("clickhouse", "ready", 0),
        ("redis", "ready", 0),
        *((store, "off", 0) for store in ("influx", "weaviate", "arango")),
    ]
    revisions = [each for store in status["stores"] for each in store["revisions"]]
    assert {each["id"] for each in revisions} == set(site.revisions())
    skipped = {each["id"] for each in revisions if each["state"] == "skipped"}
    assert skipped == sites.REPEATABLES
    others = {(each["state"], tuple(each["flags"])) for each in revisions if each["id"] not in skipped | sites.OPTIONAL}
    assert others == {("applied", ())}
    assert site.good("status", "--check").last == "everything is applied"


def test_three_rounds_end_in_the_same_schema_and_leave_nothing_behind(site: Site) -> None:
    schema, count = site.schema(), len(site.versioned())
    emptied: list[dict[str, str]] = []
    for _ in range(ROUNDS):
        assert site.good(*ALL_DOWN).last.startswith(f"{count} reverted in ")
        emptied.append(site.schema())
        assert_nothing_left(site)
        assert site.good("up").last.startswith(f"{count} applied in ")
        assert site.schema() == schema
    assert emptied == [emptied[0]] * ROUNDS


def test_one_revision_down_and_up_is_exact(site: Site) -> None:
    """Every fourth revision, others on each set of servers; the suites of PostgreSQL and ClickHouse take all."""
    names, urls = site.versioned(), site.urls()
    first = 4 if site.environment == "local" else 2
    site.good(*ALL_DOWN)
    for place in range(first, len(names) + 1, 4):
        name, store = names[place - 1], names[place - 1].split("/")[0]
        picture = partial(sites.PICTURES[store], urls[store])
        site.good("up", "--steps", str(first if place == first else 4))
        there = picture()
        assert moved(site, "down", "--steps", "1", "--allow-destructive") == [name]
        assert (picture() != there) == (name not in NO_CHANGE), f"the down of {name}"
        assert moved(site, "up", "--steps", "1") == [name]
        assert picture() == there, f"{name} comes back differently"


def unqualified(dump: str) -> list[str]:
    """18 prints the columns of a view over one table without the table's name, 15 with it.

    Every right that 15 knows is not ALL to a pg_dump of 18, which knows one more.
    """
    dump = dump.replace("GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON", "GRANT ALL ON")
    return re.sub(r'\b(?:ml_\w+|last|latest)\.(?=[\w"])', "", dump).splitlines()


def test_schema_is_the_same_on_every_set_of_servers(schemas: dict[str, dict[str, str]]) -> None:
    new, old = schemas["embedded"], schemas["debian"]
    shortened, differences = _ONLY_18.subn("", new["postgres"])
    assert differences == 2
    assert unqualified(shortened) == unqualified(old["postgres"])
    assert alone(new["clickhouse"], "provision") == alone(old["clickhouse"], "vfr")
    assert new["redis"].splitlines() == _ONLY_7.sub("", old["redis"]).splitlines()


def alone(picture: str, database: str) -> list[str]:
    """The definitions in one database of a ClickHouse, without its name."""
    return [line.replace(f"{database}.", "") for line in picture.splitlines() if not line.startswith("databases: ")]


def moved(site: Site, *arguments: str) -> list[str]:
    done = site.good(*arguments, "--output", "json").document
    return [each["id"] for each in done.get("applied") or done["reverted"]]


def assert_nothing_left(site: Site) -> None:
    """Ours and the peers' own empty tables, and nothing else."""
    urls = site.urls()
    with psycopg.connect(urls["postgres"]) as connection:
        names = {str(row[0]) for row in connection.execute(_OBJECTS)}
        assert {name for name in names if not is_ours(name)} == {
            "schema public",
            "public.alembic_version",
            "public.alembic_version_pkc",
        }
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (0,)
    with clickhouse_connect.get_client(dsn=urls["clickhouse"], autogenerate_session_id=False) as client:
        tables = client.query("SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY 1")
        assert [row[0] for row in tables.result_rows] == ["provision_ledger", "schema_versions"]
        assert client.query("SELECT count() FROM schema_versions").result_rows == [(0,)]
        names = {str(row[0]) for row in client.query("SELECT name FROM system.databases").result_rows}
        assert names == {"default", "system", "INFORMATION_SCHEMA", "information_schema", client.database}
    with redis.Redis.from_url(urls["redis"], decode_responses=True) as server:
        assert list(server.scan_iter()) == ["provision:vfr:ledger:redis"]


def is_ours(name: str) -> bool:
    return name == "schema provision" or name.startswith("provision.")
