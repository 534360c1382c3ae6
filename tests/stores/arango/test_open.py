"""Opening: each way to fail has its own words and never the password; nothing is made."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.stores.arango import server as module
from provision.stores.arango.store import ArangoStore
from tests.stores.arango.conftest import PASSWORD
from tests.stores.arango.gate import Gate, error
from tests.stores.arango.raw import Raw

Make = Callable[..., ArangoStore]


def refused(store: ArangoStore, url: str) -> ProvisionError:
    with pytest.raises(ProvisionError) as caught:
        store.open(url)
    found = caught.value
    assert PASSWORD not in f"{found!r} {found} {found.where} {found.fix}"
    return found


def said(error: ProvisionError) -> tuple[str, str, str, str]:
    return error.code, error.what, error.where, error.fix


def test_open_tells_version_and_makes_nothing(make: Make, raw: Raw) -> None:
    before = raw.databases()
    contact = make().open(raw.url)
    assert (contact.engine, contact.version.split("-")[0]) == ("arangodb", "3.12.10")
    assert raw.databases() == before


def test_prepare_makes_the_database_once(make: Make, raw: Raw) -> None:
    for store in (make(), make()):
        store.open(raw.url)
        store.prepare()
        store.prepare()
    assert raw.databases().count(raw.database) == 1


def test_open_with_a_token(make: Make, raw: Raw) -> None:
    raw.make()
    token = raw.ask("POST", "/_open/auth", {"username": "root", "password": PASSWORD}, "_system")["jwt"]
    store = make(token=token)
    store.open(raw.url.replace(f"root:{PASSWORD}@", ""))
    assert list(store.ledger.read()) == []


@pytest.mark.parametrize("login", [f"root:{PASSWORD}x@", f"nobody:{PASSWORD}@", ""])
def test_wrong_password(make: Make, raw: Raw, login: str) -> None:
    found = refused(make(), raw.url.replace(f"root:{PASSWORD}@", login))
    stranger = Raw(raw.server, "_system", "")
    status, body = stranger.answer("GET", "/_api/version")
    stranger.close()
    assert status == 401
    assert type(found) is ConfigError
    assert said(found) == (
        "wrong-password",
        f"the server refused the login: {body['errorMessage']} (error {body['errorNum']})",
        f"graph: {raw.server}/{raw.database}",
        "correct user and password in the url, or the token",
    )


def test_wrong_token(make: Make, raw: Raw) -> None:
    found = refused(make(token="eyJ.eyJ.never-issued"), raw.url)
    assert (found.code, found.fix) == ("wrong-password", "correct user and password in the url, or the token")
    assert "never-issued" not in f"{found.what} {found.where}"


def test_no_permission(make: Make, raw: Raw, barred: Gate, url_through: str) -> None:
    barred.rule = lambda _method, _path: error(403, 11, "forbidden")
    assert said(refused(make(), url_through)) == (
        "not-allowed",
        "the server refused: forbidden (error 11)",
        f"graph: http://127.0.0.1:{barred.port}/{raw.database}",
        "give the user that right",
    )


def test_database_that_the_user_may_not_make(make: Make, raw: Raw, barred: Gate, url_through: str) -> None:
    barred.rule = lambda method, _path: error(403, 11, "forbidden") if method == "POST" else None
    store = make()
    store.open(url_through)
    with pytest.raises(ConfigError) as caught:
        store.prepare()
    assert said(caught.value) == (
        "not-allowed",
        f"there is no database {raw.database}, and the user may not make it: forbidden (error 11)",
        f"http://127.0.0.1:{barred.port}/{raw.database}",
        "make it as a user with rights on _system, or name another in the url",
    )


def test_server_too_old(make: Make, raw: Raw, barred: Gate, url_through: str) -> None:
    old = 200, {"server": "arango", "license": "community", "version": "3.10.14"}
    barred.rule = lambda _method, path: old if path.endswith("/version") else None
    assert said(refused(make(), url_through)) == (
        "server-too-old",
        "ArangoDB 3.11 or later is needed, the server is 3.10.14",
        f"graph: http://127.0.0.1:{barred.port}/{raw.database}",
        "upgrade the server",
    )


def test_server_of_another_kind(make: Make, raw: Raw, barred: Gate, url_through: str) -> None:
    barred.rule = lambda _method, _path: (200, {"version": "8.1"})
    assert said(refused(make(), url_through)) == (
        "bad-url",
        "what answers there is no ArangoDB",
        f"graph: http://127.0.0.1:{barred.port}/{raw.database}",
        "write http://user:password@host:8529/database with the host and port of an ArangoDB server",
    )


def test_read_only_server(make: Make, raw: Raw) -> None:
    raw.make()
    raw.ask("PUT", "/_admin/server/mode", {"mode": "readonly"}, "_system")
    try:
        found = refused(make(), raw.url)
    finally:
        raw.ask("PUT", "/_admin/server/mode", {"mode": "default"}, "_system")
    assert said(found) == (
        "read-only",
        "the server is in read-only mode",
        f"graph: {raw.server}/{raw.database}",
        "set the server's mode to default (PUT /_admin/server/mode), or name another server",
    )


@pytest.mark.parametrize(
    ("tail", "what", "fix"),
    [
        (
            "",
            "the url names no database",
            "write http://user:password@host:8529/database, special characters percent-encoded (@ as %40)",
        ),
        (
            "/a/b",
            "the url goes on behind the database",
            "write http://user:password@host:8529/database, special characters percent-encoded (@ as %40)",
        ),
        ("/1st", "no database may be called 1st", "begin with a letter, then letters, digits, _ and - alone"),
        (f"/{'d' * 65}", "the name of the database has 65 bytes", "write at most 64"),
    ],
)
def test_bad_database_in_the_url(make: Make, tail: str, what: str, fix: str) -> None:
    # Nothing listens on port 1: another code than unreachable means that nobody was asked.
    assert said(refused(make(), f"http://127.0.0.1:1{tail}")) == ("bad-url", what, "graph", fix)


def test_nothing_listens(make: Make) -> None:
    found = refused(make(), "http://root@127.0.0.1:1/x")
    assert type(found) is UnreachableError
    assert said(found) == (
        "unreachable",
        "no answer: nothing listens there",
        "graph: http://127.0.0.1:1",
        "see that the server runs and the url is right",
    )


def test_silent_port(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert said(refused(make(), f"http://root@127.0.0.1:{port}/x")) == (
            "unreachable",
            "no answer: the time ran out",
            f"graph: http://127.0.0.1:{port}",
            "see that the server runs and the url is right",
        )
