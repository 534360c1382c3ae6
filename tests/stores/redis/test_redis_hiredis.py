"""The same with hiredis, which redis-py uses wherever it is installed, and without it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading

import pytest
import redis

from tests.stores.redis.redis_servers import Engine

ASKS = """\
import json, sys
if sys.argv[1] == "without":
    sys.modules["hiredis"] = None
import redis.utils
from provision.errors import ProvisionError
from provision.stores.redis.server import connect
assert redis.utils.HIREDIS_AVAILABLE == (sys.argv[1] == "with")
try:
    server = connect(sys.argv[2])
except ProvisionError as refused:
    sys.exit(str(refused))
key = b"bin:\\xff\\x00".decode(errors="surrogateescape")
server.call("SET", key, "\\udcfe")
(page,) = server.pages("bin:*", "string")
script = server.script("return {KEYS[1], ARGV[1], redis.call('GET', KEYS[1])}", [key], key)
together = server.together(("GET", key), ("STRLEN", key))
print(json.dumps([page, script, together, server.pairs("CONFIG", "GET", "maxclients")]))
"""

both = pytest.mark.parametrize("hiredis", ["with", "without"])


def asked(hiredis: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ASKS, hiredis, url], capture_output=True, text=True, timeout=60)


@both
def test_text_that_is_not_utf8_survives_a_round_trip(engine: Engine, client: redis.Redis, hiredis: str) -> None:
    ran = asked(hiredis, engine.url)
    assert ran.stderr == ""
    key = "bin:\udcff\x00"
    assert json.loads(ran.stdout) == [
        [key],
        [key, key, "\udcfe"],
        ["\udcfe", 1],
        {"maxclients": client.config_get("maxclients")["maxclients"]},
    ]
    client.delete(b"bin:\xff\x00")


@both
def test_server_of_another_protocol(hiredis: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)

        def answer() -> None:
            for _ in range(2):  # the plain connection is given up first
                with listening.accept()[0] as connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        speaking = threading.Thread(target=answer)
        speaking.start()
        ran = asked(hiredis, f"redis://127.0.0.1:{listening.getsockname()[1]}/0")
        speaking.join(30)
    assert (ran.returncode, ran.stderr) == (1, "unreachable: no answer: what listens there speaks another protocol\n")
