"""Opening a server that cannot be worked with: the whole message of each."""

from __future__ import annotations

import socket

import pytest

from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.kinds import build
from provision.stores.influx import server
from tests.stores.influx.conftest import Write, shown
from tests.stores.influx.raw import Raw
from tests.stores.influx.stand_in import saying

DATABASE = "  - create_database: {name: app}\n"
EXAMPLE = "http://user:password@host:8086"


def refusal(write: Write, url: str, *texts: str, **extra: object) -> str:
    with pytest.raises(ProvisionError) as caught:
        build(write(*(texts or (DATABASE,)), **extra)).open(url)
    assert "secret-word" not in shown(caught.value)
    return shown(caught.value)


def test_open_says_version_and_engine_and_creates_nothing(write: Write, influx_1: str, raw: Raw) -> None:
    store = build(write(DATABASE))
    contact = store.open(influx_1)
    try:
        assert (contact.engine, contact.version.startswith("1.6")) == ("influxdb", True)
        assert list(store.ledger.read()) == []
        assert raw.databases() == []
    finally:
        store.close()


def test_open_wrong_password_is_told(write: Write, raw: Raw) -> None:
    url = raw.base.replace("http://", "http://root:secret-word@")

    assert refusal(write, url) == (
        f"the server refused the login: authorization failed | influx: {raw.base} |"
        f" correct user and password in the url ({EXAMPLE}) [wrong-password 2]"
    )


def test_open_without_a_login_is_told(write: Write, raw: Raw) -> None:
    assert refusal(write, raw.base) == (
        "the server refused the login: unable to parse authentication credentials |"
        f" influx: {raw.base} | write {EXAMPLE} [wrong-password 2]"
    )


def test_ledger_user_without_rights_is_told_before_anything_is_made(write: Write, raw: Raw) -> None:
    raw.ask("CREATE USER reader WITH PASSWORD 'secret-word'")
    store = build(write(DATABASE))
    try:
        store.open(raw.base.replace("http://", "http://reader:secret-word@"))
        with pytest.raises(ConfigError) as read:
            store.ledger.read()
        with pytest.raises(ConfigError) as create:
            store.ledger.create()
    finally:
        store.close()
        raw.ask("DROP USER reader")

    head = "error authorizing query: reader not authorized to execute statement"
    assert shown(read.value).startswith(f"the server refused: {head} 'SELECT * FROM provision_vfr.ledger.events WHERE")
    assert shown(read.value).endswith(
        f"requires READ on provision_vfr | {raw.base} | give the user that right [not-allowed 2]"
    )
    assert shown(create.value) == (
        f"the ledger's database provision_vfr cannot be made: {head} 'CREATE DATABASE provision_vfr WITH DURATION 0s"
        f" REPLICATION 1 NAME ledger', requires admin privilege | {raw.base} | give the user that right [not-allowed 2]"
    )
    assert raw.databases() == []


@pytest.mark.parametrize("version", ["1.5.4", "0.13.0", "2.0.9"])
def test_open_server_too_old_is_told(write: Write, version: str) -> None:
    with saying({"X-Influxdb-Version": version}) as url:
        assert refusal(write, url, org="vfr") == (
            f"InfluxDB 1.6 or later, or 2.1 or later, is needed, the server is {version} | influx: {url} |"
            " upgrade the server [server-too-old 2]"
        )


def test_open_server_too_new_is_told(write: Write) -> None:
    with saying({"X-Influxdb-Version": "v3.1.0"}) as url:
        assert refusal(write, url) == (
            f"InfluxDB 1.6 or later, or 2.1 or later, is needed, the server is 3.1.0 | influx: {url} |"
            " name a server of version 1.x or 2.x [server-too-new 2]"
        )


@pytest.mark.parametrize(
    ("version", "setup", "told"),
    [
        ("dev", b'{"allowed":false}', "InfluxDB dev needs influx.token"),
        ("unknown", b"404 page not found", "influx.org is for InfluxDB 2.x, the server is unknown"),
    ],
)
def test_open_server_built_from_source_is_known_by_its_api(write: Write, version: str, setup: bytes, told: str) -> None:
    with saying({"X-Influxdb-Version": version, "Content-Type": "application/json"}, 200, setup) as url:
        assert refusal(write, url, org="vfr").startswith(f"{told} | influx: {url} | ")


def test_open_another_service_is_told(write: Write) -> None:
    with saying({}, 200) as url:
        assert refusal(write, url) == (
            "what answers there is no InfluxDB (/ping answers 200 without a version) |"
            f" influx: {url} | write {EXAMPLE} [not-influxdb 2]"
        )


def test_open_keys_of_2x_for_a_server_of_1x_are_told(write: Write, influx_1: str, raw: Raw) -> None:
    version = build(write(DATABASE)).open(influx_1).version

    assert refusal(write, influx_1, token="secret-word") == (
        f"influx.token is for InfluxDB 2.x, the server is {version} | influx: {raw.base} |"
        f" remove it, and write {EXAMPLE} [needless-key 2]"
    )


@pytest.mark.parametrize(("extra", "key"), [({"token": "secret-word"}, "org"), ({"org": "vfr"}, "token")])
def test_open_server_of_2x_without_its_keys_is_told(write: Write, extra: dict[str, str], key: str) -> None:
    with saying({"X-Influxdb-Version": "v2.7.1"}) as url:
        assert refusal(write, url, **extra) == (
            f"InfluxDB 2.7.1 needs influx.{key} | influx: {url} |"
            f' add {key} = "${{INFLUXDB_{key.upper()}}}" to influx of this environment [missing-key 2]'
        )


def test_open_bad_url_is_told(write: Write) -> None:
    assert refusal(write, "influx://root:secret-word@host") == (
        f"not an http or https url | influx | write {EXAMPLE}, special characters percent-encoded (@ as %40)"
        " [bad-url 2]"
    )


def test_open_nobody_there_is_told(write: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as passing:
        port = passing.getsockname()[1]

    assert refusal(write, f"http://root:secret-word@127.0.0.1:{port}") == (
        f"no answer: nothing listens there | influx: http://127.0.0.1:{port} | see that the server runs and the url is"
        " right [unreachable 4]"
    )


def test_open_silent_server_is_given_up(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GREETING_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        assert refusal(write, f"http://127.0.0.1:{port}") == (
            f"no answer: the time ran out | influx: http://127.0.0.1:{port} | see that the server runs and the url is"
            " right [unreachable 4]"
        )


def test_open_operation_in_the_language_of_2x_is_refused(write: Write, influx_1: str) -> None:
    flux = '  - flux: {script: x, probe: {query: "from(bucket: 1)", equals: []}, down: y}\n'
    version = build(write(DATABASE)).open(influx_1).version

    assert refusal(write, influx_1, DATABASE, flux) == (
        f"the operation flux is not for InfluxDB {version} | influx/0002_case.yaml:2 | write it as the operation"
        " influxql [wrong-language 2]"
    )


def test_store_that_is_not_open_says_so(write: Write) -> None:
    store = build(write(DATABASE))

    with pytest.raises(UnreachableError) as caught:
        store.ledger.read()
    assert shown(caught.value) == "influx was not opened | influx |  [not-open 4]"
