"""No client follows a redirect, and none reads an answer without an end, whatever the kind of store."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision import kinds
from provision.errors import ConfigError, FailedError
from provision.model import StoreOptions
from provision.net import guard
from provision.net.http import Address, Http
from provision.stores.clickhouse.server import Client
from provision.stores.influx.session import start
from tests.silent.conftest import Behind
from tests.silent.hostile import Hostile, hostile
from tests.silent.proxy import tcp

URLS = {
    "clickhouse": "clickhouse://user:secret@127.0.0.1:{}/shop",
    "influx": "http://user:secret@127.0.0.1:{}",
    "weaviate": "http://127.0.0.1:{}?token=secret",
    "arango": "http://user:secret@127.0.0.1:{}/shop",
}


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Hostile]:
    """Where requests are sent on to."""
    with hostile() as made:
        yield made


def options(kind: str, folder: Path, **extra: object) -> StoreOptions:
    return StoreOptions(kind, kind, "shop", folder, folder, extra)


@pytest.mark.parametrize("kind", URLS)
def test_redirect_is_refused_by_every_kind(kind: str, server: Hostile, other: Hostile, tmp_path: Path) -> None:
    server.target = f"http://anna:hidden@127.0.0.1:{other.port}"
    store = kinds.build(options(kind, tmp_path))

    with pytest.raises(ConfigError) as refused:
        store.open(URLS[kind].format(server.port))

    assert refused.value.code == "redirected"
    what = f"the server sends the request on to http://127.0.0.1:{other.port}, which is not followed"
    assert refused.value.what == what
    assert f"127.0.0.1:{server.port}" in refused.value.where
    assert "secret" not in refused.value.where
    assert (len(server.asked), other.asked) == (1, [])


def test_redirect_of_a_statement_is_refused_by_clickhouse(
    clickhouse_embedded: str, behind: Behind, server: Hostile, other: Hostile
) -> None:
    """The driver's own requests, which hold the text of migrations."""
    server.target = f"http://127.0.0.1:{other.port}"
    proxy, url = behind(clickhouse_embedded)
    client = Client(url, "clickhouse")
    client.driver()
    proxy.turn(tcp("127.0.0.1", server.port))

    with pytest.raises(ConfigError, match="redirected"):
        client.command("CREATE TABLE hidden (id Int8) ENGINE = Memory")

    assert any("hidden" in each for each in server.asked)
    assert other.asked == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirect_of_a_request_is_refused(method: str, server: Hostile, other: Hostile, tmp_path: Path) -> None:
    server.target = f"http://127.0.0.1:{other.port}"
    http = Http(f"http://127.0.0.1:{server.port}", {}, options("weaviate", tmp_path))

    with pytest.raises(ConfigError, match="redirected"):
        http.call(method, "/", {"drop": "everything"})

    assert (len(server.asked), other.asked) == (1, [])


def test_redirect_is_refused_by_the_client_of_influx_2(server: Hostile, other: Hostile, tmp_path: Path) -> None:
    server.target = f"http://127.0.0.1:{other.port}"
    address = Address.of(f"http://127.0.0.1:{server.port}", "")

    with pytest.raises(ConfigError, match="redirected"):
        start(options("influx", tmp_path, org="shop", token="secret"), address, "2.7")

    assert other.asked == []


@pytest.mark.parametrize("kind", URLS)
def test_answer_without_an_end_is_refused_by_every_kind(
    kind: str, server: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "LARGEST", 4 << 20)
    store = kinds.build(options(kind, tmp_path))

    with pytest.raises(FailedError) as refused:
        store.open(URLS[kind].format(server.port))

    assert refused.value.code == "answer-too-large"
    assert refused.value.what == "the server's answer goes on beyond 4 MiB"
    assert server.sent < 64 << 20


def test_small_answer_that_unpacks_without_an_end_is_refused() -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()

    with pytest.raises(FailedError, match="answer-too-large"):
        guard.unpacked(packed, "gzip")


READ = """
import sys
from pathlib import Path
from provision.errors import FailedError
from provision.model import StoreOptions
from provision.net.http import Http
here = Path(".")
http = Http(sys.argv[1], {}, StoreOptions("weaviate", "weaviate", "shop", here, here))
try:
    http.call(sys.argv[2], "/")
except FailedError as error:
    # Not ru_maxrss, which a new program takes over from the one that started it.
    [peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(error.code, peak)
"""


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_answer_without_an_end_takes_no_more_memory_than_the_largest(server: Hostile, method: str) -> None:
    asked = [sys.executable, "-c", READ, f"http://127.0.0.1:{server.port}", method]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=True).stdout.split()

    assert said[0] == "answer-too-large"
    assert int(said[1]) < 3 * (guard.LARGEST >> 10), "kilobytes"
