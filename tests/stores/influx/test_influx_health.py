"""What doctor says of a server."""

from __future__ import annotations

from pathlib import Path

from provision.kinds import build
from provision.model import Severity
from provision.stores.influx.setup import health
from tests.servers.databases import Influx1
from tests.stores.influx.conftest import Write
from tests.stores.influx.raw import Raw


def told(write: Write, url: str) -> list[tuple[str, Severity, str, str]]:
    found = health.look(write(), url, home=False)
    return [(each.rule, each.severity, each.message, each.fix) for each in found if each.rule != "clock"]


def test_health_of_a_sound_server_finds_nothing_wrong(write: Write, influx_1: str, raw: Raw) -> None:
    store = build(write("  - create_database: {name: app}\n"))
    store.open(influx_1)
    store.ledger.create()
    store.close()

    found = health.look(write(), influx_1, home=False)

    assert {each.severity for each in found} == {Severity.FINE}
    assert [each.rule for each in found] == ["privileges", "login", "clock", "ledger"]
    assert found[2].message in ("the server's clock differs by 0 s", "the server's clock differs by 1 s")
    raw.ask("DROP DATABASE provision_vfr")
    raw.ask("CREATE DATABASE provision_vfr WITH DURATION 30d REPLICATION 1 NAME ledger")
    assert told(write, influx_1)[-1] == (
        "ledger",
        Severity.ERROR,
        "the ledger provision_vfr is kept only 30d, and then forgotten",
        '`ALTER RETENTION POLICY "ledger" ON "provision_vfr" DURATION INF`',
    )
    raw.ask(told(write, influx_1)[-1][3].strip("`"))
    assert told(write, influx_1)[-1][1] is Severity.FINE


def test_health_of_a_login_without_rights_says_so(write: Write, raw: Raw) -> None:
    raw.ask("CREATE USER reader WITH PASSWORD 'reader-word'")
    try:
        url = raw.base.replace("http://", "http://reader:reader-word@")
        found = told(write, url)
        raw.ask(found[0][3].strip("`"))
        assert told(write, url)[0][1] is Severity.FINE
    finally:
        raw.ask("DROP USER reader")

    assert found[0] == (
        "privileges",
        Severity.ERROR,
        "this login is no administrator: the server refused: error authorizing query: reader not authorized to execute"
        " statement 'SHOW USERS', requires admin privilege",
        '`GRANT ALL PRIVILEGES TO "reader"`',
    )


def test_health_of_an_open_server_without_queries_warns(write: Write, tmp_path: Path) -> None:
    class Open(Influx1):
        def command(self, program: str) -> tuple[list[str], dict[str, str]]:
            argv, variables = super().command(program)
            off = {"INFLUXDB_HTTP_AUTH_ENABLED": "false", "INFLUXDB_CONTINUOUS_QUERIES_ENABLED": "false"}
            return argv, variables | off

    with Open(tmp_path / "influxd") as server:
        assert told(write, server.url) == [
            ("privileges", Severity.FINE, "this login may read all that is needed", ""),
            (
                "login",
                Severity.WARNING,
                "the server asks nobody for a password",
                "set auth-enabled = true in the section [http] of its configuration",
            ),
            (
                "rollups",
                Severity.ERROR,
                "continuous queries are switched off: no rollup is ever computed",
                "set enabled = true in the section [continuous_queries] of its configuration",
            ),
        ]
