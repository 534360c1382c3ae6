"""Questions asked without redis-py: the same answers, and redis-py's own words for everything else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from provision.errors import UnreachableError
from provision.stores.redis.plain import NotPlain, PlainRedis, opened
from provision.stores.redis.server import Server, connect
from tests.stores.redis.redis_servers import PASSWORD, Engine, free_port


@contextmanager
def plain(answer: bytes) -> Iterator[PlainRedis]:
    """A connection whose server says `answer` to the first command and hangs up."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        made = PlainRedis(ours)
        yield made
        made.close()


def asked_by_client(server: Server) -> bool:
    return "client" in vars(server)


@pytest.fixture
def opened_server(engine: Engine) -> Iterator[Server]:
    made = connect(engine.url)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"+OK\r\n", "OK"),
        (b":-12\r\n", -12),
        (b"$4\r\na\r\nb\r\n", "a\r\nb"),
        (b"$0\r\n\r\n", ""),
        (b"*0\r\n", []),
        (b"*2\r\n$1\r\na\r\n*1\r\n:3\r\n", ["a", [3]]),
        (b"$2\r\n\xff\xc3\r\n", "\udcff\udcc3"),
    ],
)
def test_answer_is_read(sent: bytes, answer: object) -> None:
    with plain(sent) as made:
        assert made.call("X") == answer


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"+OK",
        b"-ERR no\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"$5\r\nab\r\n",
        b"*2\r\n:1\r\n",
        b"$x\r\n",
        b"HTTP/1.1 400\r\n",
    ],
)
def test_whatever_is_no_plain_answer_is_left_to_the_client(sent: bytes) -> None:
    with plain(sent) as made, pytest.raises(NotPlain):
        made.call("X")


def test_words_are_sent_as_they_are() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"+OK\r\n")
    made = PlainRedis(ours)
    made.call("GET", "ü \r\n\udcff")
    assert theirs.recv(100) == b"*2\r\n$3\r\nGET\r\n$6\r\n\xc3\xbc \r\n\xff\r\n"
    made.close()
    theirs.close()


def test_second_thread_is_not_kept_waiting() -> None:
    ours, theirs = socket.socketpair()
    made = PlainRedis(ours)
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(made.call("SLOW")))
    thread.start()
    assert theirs.recv(100)  # its command is under way
    with pytest.raises(NotPlain):
        made.call("QUICK")
    theirs.sendall(b":1\r\n")
    thread.join(10)
    made.close()
    theirs.close()
    assert answers == [1]


@pytest.mark.parametrize(
    "url",
    [
        "redis://:{password}@127.0.0.1:{port}/0?health_check_interval=5",
        "rediss://:{password}@127.0.0.1:{port}/0",
        "redis://:{password}@127.0.0.1:{port}/x",
        "redis://:{password}@127.0.0.1:{port}/99",
        "redis://:wrong@127.0.0.1:{port}/0",
        "redis://default@127.0.0.1:{port}/0",
        "redis://127.0.0.1:{port}/0",
        "redis://127.0.0.1:port/0",
        "unix:///nowhere",
        "redis://127.0.0.1:1",
    ],
)
def test_url_that_says_more_or_is_refused_is_not_opened(engine: Engine, url: str) -> None:
    assert opened(url.format(password=PASSWORD, port=engine.port)) is None


@pytest.mark.parametrize(
    "url", ["redis://:{password}@localhost:{port}", "redis://default:{password}@127.0.0.1:{port}/3"]
)
def test_database_of_the_url_is_asked(engine: Engine, url: str) -> None:
    whole = url.format(password=PASSWORD, port=engine.port)
    with redis.Redis.from_url(whole) as client:
        client.xadd("plain:stream", {"a": "1"}, "1-1")
        try:
            made = connect(whole)
            assert made.entries("plain:stream", "-", 10) == [("1-1", {"a": "1"})]
            assert not asked_by_client(made)
            made.close()
        finally:
            client.delete("plain:stream")


def test_answers_are_those_of_the_client(opened_server: Server, engine: Engine, client: redis.Redis) -> None:
    for number in range(1, 6):
        client.xadd("plain:stream", {"text": "ü\r\n", b"\xff": b"\x00\xc3", "empty": ""}, f"1-{number}")
    other = Server(
        lambda: redis.Redis.from_url(engine.url, decode_responses=True, encoding_errors="surrogateescape"), ""
    )
    found = [opened_server.entries("plain:stream", start, 3) for start in ("-", "(1-3")]
    about = opened_server.about("server")
    wanted = [other.entries("plain:stream", start, 3) for start in ("-", "(1-3")]
    other.close()

    assert found == wanted
    assert [len(page) for page in found] == [3, 2]
    assert opened_server.entries("plain:none", "-", 3) == []
    assert about["redis_version"] == ".".join(str(part) for part in engine.version)
    assert about["redis_mode"] == "standalone"
    assert not asked_by_client(opened_server)


def test_refusal_is_worded_by_the_client(opened_server: Server, client: redis.Redis) -> None:
    client.set("plain:text", "x")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        opened_server.entries("plain:text", "-", 3)
    assert asked_by_client(opened_server)


def test_from_the_first_change_on_there_is_the_client_alone(opened_server: Server) -> None:
    opened_server.call("SET", "plain:text", "x")
    opened_server.entries("plain:none", "-", 3)
    assert opened_server._plain is None  # no second connection stays open beside the client's


def test_port_that_nobody_listens_at_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="nothing listens there"):
        connect(f"redis://127.0.0.1:{free_port()}/0")
