"""Logins, rights and the read-only mode of the ArangoDB contract double."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.doubles.served.process import reset
from tests.doubles_tests.conftest import PASSWORD
from tests.doubles_tests.wire import Got, Wire


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def refused(got: Got) -> tuple[int, int]:
    return got.status, got.body["errorNum"]


@pytest.fixture
def root(guarded_arango_url: str) -> Iterator[Wire]:
    reset(guarded_arango_url)
    wire = Wire(guarded_arango_url, basic("root", PASSWORD))
    wire.made("POST", "/_api/collection", {"name": "items"})
    wire.made("POST", "/_api/user", {"user": "reader", "passwd": "r"})
    yield wire
    wire.close()


@pytest.mark.parametrize("login", ["", basic("root", "wrong"), basic("nobody", PASSWORD), "Bearer a.b.c", "Basic ?"])
@pytest.mark.usefixtures("root")
def test_wrong_login_is_401(guarded_arango_url: str, login: str) -> None:
    wire = Wire(guarded_arango_url, login)
    assert refused(wire.send("GET", "/_api/version")) == (401, 11)
    wire.close()


def test_token_of_open_auth_is_a_login(guarded_arango_url: str, root: Wire) -> None:
    assert refused(root.send("POST", "/_open/auth", {"username": "root", "password": "no"})) == (401, 401)
    token = root.made("POST", "/_db/_system/_open/auth", {"username": "root", "password": PASSWORD})["jwt"]
    wire = Wire(guarded_arango_url, f"bearer {token}")
    assert wire.send("GET", "/_api/version").status == 200
    wire.close()


def test_rights_say_what_a_user_may_do(guarded_arango_url: str, root: Wire) -> None:
    wire = Wire(guarded_arango_url, basic("reader", "r"))
    assert refused(wire.send("GET", "/_api/collection")) == (403, 11)
    root.made("PUT", "/_api/user/reader/database/_system", {"grant": "ro"})
    assert wire.send("GET", "/_api/collection/items").status == 200
    assert refused(wire.send("POST", "/_api/collection", {"name": "x"})) == (403, 11)
    assert refused(wire.send("POST", "/_api/document/items", {})) == (403, 11)
    assert refused(wire.send("POST", "/_api/cursor", {"query": "INSERT {} INTO items"})) == (403, 11)
    assert refused(wire.send("POST", "/_db/_system/_api/database", {"name": "x"})) == (403, 11)
    root.made("PUT", "/_api/user/reader/database/_system/items", {"grant": "rw"})
    assert wire.send("POST", "/_api/document/items", {}).status == 202
    wire.close()


def test_read_only_server_refuses_every_write(arango: Wire) -> None:
    arango.made("POST", "/_api/collection", {"name": "items"})
    assert arango.made("PUT", "/_admin/server/mode", {"mode": "readonly"})["mode"] == "readonly"
    for method, path, body in (
        ("POST", "/_api/document/items", {}),
        ("POST", "/_api/collection", {"name": "x"}),
        ("POST", "/_api/cursor", {"query": "INSERT {} INTO items"}),
        ("POST", "/_db/_system/_api/database", {"name": "x"}),
    ):
        assert refused(arango.send(method, path, body)) == (403, 1004), path
    assert arango.made("POST", "/_api/cursor", {"query": "FOR d IN items RETURN d"})["result"] == []
    arango.made("PUT", "/_admin/server/mode", {"mode": "default"})
    assert arango.send("POST", "/_api/document/items", {}).status == 202


def test_without_a_password_any_login_is_taken(arango_url: str) -> None:
    for login in ("", basic("root", "anything"), basic("somebody", "x")):
        wire = Wire(arango_url, login)
        assert wire.send("GET", "/_api/version").status == 200
        wire.close()
