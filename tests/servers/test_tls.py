"""The TLS keys of an environment, against servers that speak TLS with a certificate of their own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision import kinds
from provision.errors import UnreachableError
from provision.model import StoreOptions
from provision.net.tls import with_tls
from tests.servers.required import not_run

NAMES = {"ca_cert": "ssl_ca_certs", "client_cert": "ssl_certfile", "client_key": "ssl_keyfile"}
VERIFY = {True: ("ssl_cert_reqs", "required"), False: ("ssl_cert_reqs", "none")}
SERVER = "/usr/bin/redis-server"


def options(root: Path, **extra: object) -> StoreOptions:
    return StoreOptions("redis", "redis", "shop", root / "redis", root, extra)


def test_url_without_tls_keys_is_left_alone(tmp_path: Path) -> None:
    assert with_tls("rediss://h/0?a=1", options(tmp_path), NAMES, VERIFY) == "rediss://h/0?a=1"


def test_url_own_parameters_win_over_tls_keys(tmp_path: Path) -> None:
    made = with_tls("rediss://h/0?ssl_cert_reqs=none", options(tmp_path, ca_cert="ca.pem"), NAMES, VERIFY)
    assert made == f"rediss://h/0?ssl_ca_certs={str(tmp_path / 'ca.pem').replace('/', '%2F')}&ssl_cert_reqs=none"


@pytest.fixture
def redis_tls(tmp_path: Path) -> Iterator[str]:
    """A Redis 7 with TLS and a self-signed certificate for localhost in cert.pem and key.pem."""
    if not Path(SERVER).exists() or shutil.which("openssl") is None:
        not_run("redis-server 7 or openssl", "sh tests/servers/install.sh", "redis")
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    named = "-addext subjectAltName=DNS:localhost"
    subprocess.run(["openssl", *request.split(), *named.split()], cwd=tmp_path, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = f"--port 0 --tls-port {port} --tls-cert-file cert.pem --tls-key-file key.pem --tls-auth-clients no".split()
    server = subprocess.Popen([SERVER, *flags, "--bind", "127.0.0.1", "--save", ""], cwd=tmp_path, stdout=-3)
    try:
        _wait(port)
        yield f"rediss://localhost:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def test_store_opens_over_tls_with_the_named_authority(redis_tls: str, tmp_path: Path) -> None:
    store = kinds.build(options(tmp_path, ca_cert="cert.pem"))
    assert store.open(redis_tls).engine == "redis"
    store.close()


def test_store_refuses_a_certificate_it_cannot_verify(redis_tls: str, tmp_path: Path) -> None:
    store = kinds.build(options(tmp_path))
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        store.open(redis_tls)


def test_store_opens_unverified_only_when_told(redis_tls: str, tmp_path: Path) -> None:
    store = kinds.build(options(tmp_path, verify=False))
    assert store.open(redis_tls).engine == "redis"
    store.close()


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("redis-server did not come up")
