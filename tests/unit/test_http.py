"""One JSON service over HTTP: what is asked again, what never is, and what a lost server is called."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provision.errors import ConfigError, FailedError, UnreachableError
from provision.kinds import build
from provision.model import StoreOptions
from provision.net.http import Address, Http, Unanswered, path_of, refused_login, sendable

Reply = Callable[[BaseHTTPRequestHandler], None]


class Script:
    """A server that answers each request with the next reply, the last one again and again; `asked` lists them."""

    def __init__(self, *replies: Reply) -> None:
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                script.asked.append((self.command, self.path, body, dict(self.headers)))
                replies[min(len(script.asked), len(replies)) - 1](self)

            do_GET = do_POST = do_PUT = do_DELETE = _any

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def methods(self) -> list[str]:
        return [method for method, *_ in self.asked]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def says(status: int, body: str = "{}") -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("content-length", str(len(body.encode())))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return reply


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def hangs(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)
    handler.close_connection = True


@pytest.fixture
def scripted() -> Iterator[Callable[..., Script]]:
    made: list[Script] = []

    def make(*replies: Reply) -> Script:
        made.append(Script(*replies))
        return made[-1]

    yield make
    for each in made:
        each.close()


def http(url: str, seconds: float = 5.0, **headers: str) -> Http:
    return Http(url, headers, StoreOptions("x", "x", "p", Path(), Path()), seconds=seconds)


def test_call_sends_json_and_reads_json(scripted: Callable[..., Script]) -> None:
    script = scripted(says(201, '{"a": [1]}'))
    answer = http(script.url, authorization="Bearer t").call("POST", "/x", {"ü": 1}, query={"q": "a b"})
    ((method, path, body, headers),) = script.asked
    assert (method, path, json.loads(body)) == ("POST", "/x?q=a%20b", {"ü": 1})
    assert (headers["content-type"], headers["authorization"]) == ("application/json", "Bearer t")
    assert (answer.status, answer.ok, answer.body) == (201, True, {"a": [1]})


def test_call_returns_a_refusal_as_it_is(scripted: Callable[..., Script]) -> None:
    answer = http(scripted(says(422, "no json")).url).call("PUT", "/x", {})
    assert (answer.status, answer.ok, answer.body, answer.text) == (422, False, None, "no json")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [429, 503])
def test_call_asks_a_busy_server_again(method: str, status: int, scripted: Callable[..., Script]) -> None:
    script = scripted(says(status), says(status), says(200))
    assert http(script.url).call(method, "/x").status == 200
    assert script.methods() == [method] * 3


def test_call_gives_a_busy_server_up_after_four_times(scripted: Callable[..., Script]) -> None:
    script = scripted(says(503, '{"busy": true}'))
    assert http(script.url).call("GET", "/x").body == {"busy": True}
    assert len(script.asked) == 4


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("PUT", 3), ("DELETE", 3)])
def test_call_repeats_what_is_as_good_twice(method: str, times: int, scripted: Callable[..., Script]) -> None:
    script = scripted(hangs_up, hangs_up, says(200))
    assert http(script.url).call(method, "/x").status == 200
    assert len(script.asked) == times


def test_call_never_repeats_a_post_whose_answer_was_lost(scripted: Callable[..., Script]) -> None:
    script = scripted(hangs_up, says(200))
    with pytest.raises(Unanswered):
        http(script.url).call("POST", "/x", {})
    assert script.methods() == ["POST"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_call_gives_a_silent_server_up_after_one_time_limit(method: str, scripted: Callable[..., Script]) -> None:
    script = scripted(hangs)
    with pytest.raises(Unanswered, match=r"^the time ran out$"):
        http(script.url, seconds=0.2).call(method, "/x", {})
    assert script.methods() == [method]


def test_call_follows_no_redirection(scripted: Callable[..., Script]) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("location", "http://127.0.0.1:1/")
        handler.send_header("content-length", "0")
        handler.end_headers()

    with pytest.raises(ConfigError, match=r"redirected: the server sends the request on to http://127.0.0.1:1, which"):
        http(scripted(elsewhere).url, authorization="secret").call("GET", "/x")


def test_reading_and_writing_name_a_lost_server(scripted: Callable[..., Script]) -> None:
    script = scripted(says(200))
    script.close()
    client = http(script.url)
    with pytest.raises(UnreachableError) as read, client.reading():
        client.call("GET", "/x")
    assert (read.value.what, read.value.where) == ("no answer: nothing listens there", script.url)
    with pytest.raises(FailedError) as written, client.writing():
        client.call("POST", "/x")
    assert written.value.code == "server-lost"
    assert written.value.what == "the server went away during a run: nothing listens there"


def test_address_takes_a_url_apart() -> None:
    made = Address.of("https://us%40er:p%3Aw@h.example:8529/db/?a=b%20c", "http://h")
    assert made == Address("https://h.example:8529/db", "us@er", "p:w", {"a": "b c"})
    assert Address.of("http://[::1]:80", "http://h").base == "http://[::1]:80"


@pytest.mark.parametrize("url", ["", "h:1", "ftp://h", "http://", "http://h:port", "http://[::1"])
def test_address_refuses_what_is_no_http_url(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Address.of(url, "http://user:password@host:8086")
    assert (refused.value.code, refused.value.what) == ("bad-url", "not an http or https url")
    assert refused.value.fix == "write http://user:password@host:8086, special characters percent-encoded (@ as %40)"


def test_path_of_encodes_every_segment() -> None:
    assert path_of("v1", "a/b", "ü ") == "/v1/a%2Fb/%C3%BC%20"


@pytest.mark.parametrize(("status", "code"), [(401, "wrong-password"), (403, "not-allowed"), (404, None)])
def test_refused_login_by_status(status: int, code: str | None, scripted: Callable[..., Script]) -> None:
    answer = http(scripted(says(status)).url).call("GET", "/")
    error = refused_login(answer, "http://h", "no", "correct it")
    assert (error.code if error else None) == code


BROKEN = ["word\n", " word", "wo\rrd", "wörd", "word\x00"]


@pytest.mark.parametrize("token", BROKEN)
@pytest.mark.parametrize("kind", ["weaviate", "arango"])
def test_token_that_no_header_can_carry_is_refused_and_not_shown(kind: str, token: str, tmp_path: Path) -> None:
    store = build(StoreOptions(kind, kind, "p", tmp_path, tmp_path, {"token": token}))
    with pytest.raises(ConfigError) as refused:
        store.open("http://127.0.0.1:1/db" if kind == "arango" else "http://127.0.0.1:1")
    assert (refused.value.code, refused.value.where) == ("bad-value", f"{kind}: token")
    assert refused.value.what == "the token holds a line break, a space at an end or a character beyond ASCII"


def test_token_that_a_header_can_carry_stays_as_it_is() -> None:
    assert [sendable(token) for token in ("", "a-b_c.d+e/f==")] == ["", "a-b_c.d+e/f=="]


def hangs_up_in_the_middle(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def says_so_packed(handler: BaseHTTPRequestHandler) -> None:
    body = gzip.compress(b'{"a": 1}')
    handler.send_response(200)
    handler.send_header("content-encoding", "gzip")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def is_told_when(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(503)
    handler.send_header("retry-after", "0")
    handler.send_header("content-length", "0")
    handler.end_headers()


def without_pool(client: Http) -> bool:
    return "_pool" not in vars(client)


def test_questions_need_no_pool_and_one_connection(scripted: Callable[..., Script]) -> None:
    connections = set()

    def counted(handler: BaseHTTPRequestHandler) -> None:
        connections.add(handler.client_address)
        says(200, '{"a": 1}')(handler)

    script = scripted(counted)
    client = http(f"{script.url}/base", authorization="Bearer t")
    answers = [client.call("GET", "/x", query={"q": "a b"}), client.call("POST", "/y", {"ü": 1}, reads=True)]

    assert [each.body for each in answers] == [{"a": 1}] * 2
    assert [asked[:2] for asked in script.asked] == [("GET", "/base/x?q=a%20b"), ("POST", "/base/y")]
    assert script.asked[1][2] == '{"ü": 1}'.encode()
    assert {asked[3]["authorization"] for asked in script.asked} == {"Bearer t"}
    assert (len(connections), without_pool(client)) == (1, True)


@pytest.mark.parametrize("reply", [hangs_up, hangs_up_in_the_middle, says_so_packed, says(429), says(503)])
def test_question_without_a_plain_answer_is_left_to_the_pool(reply: Reply, scripted: Callable[..., Script]) -> None:
    script = scripted(reply, says(200, '{"a": 2}'), says(200, '{"a": 3}'))
    client = http(script.url)

    assert [client.call("GET", "/x").body, client.call("GET", "/x").body] == [{"a": 2}, {"a": 3}]
    assert not without_pool(client)


def test_question_is_asked_as_often_as_the_pool_asks(scripted: Callable[..., Script]) -> None:
    lost, told = scripted(hangs_up), scripted(is_told_when)
    with pytest.raises(Unanswered):
        http(lost.url).call("POST", "/x", {}, reads=True)
    assert http(told.url).call("GET", "/x").status == 503
    # A POST is not repeated by the pool; where the server says when to come again, the pool keeps to that four times.
    assert (len(lost.asked), len(told.asked)) == (2, 5)


def test_change_goes_through_the_pool(scripted: Callable[..., Script]) -> None:
    client = http(scripted(says(200)).url)
    client.call("PUT", "/x", {})

    assert not without_pool(client)


def test_question_while_another_is_open_does_not_wait(scripted: Callable[..., Script]) -> None:
    began, go_on = threading.Event(), threading.Event()

    def waits(handler: BaseHTTPRequestHandler) -> None:
        began.set()
        go_on.wait(10)
        says(200, '{"slow": 1}')(handler)

    script = scripted(waits, says(200, '{"quick": 1}'))
    client, slow = http(script.url), []
    thread = threading.Thread(target=lambda: slow.append(client.call("GET", "/slow").body))
    thread.start()
    assert began.wait(10)
    quick = client.call("GET", "/quick").body
    client.close()
    go_on.set()
    thread.join(10)

    assert (quick, slow) == ({"quick": 1}, [{"slow": 1}])


def test_silence_is_told_without_the_pool(scripted: Callable[..., Script]) -> None:
    client = http(scripted(hangs).url, seconds=0.2)
    with pytest.raises(Unanswered, match=r"^the time ran out$"):
        client.call("GET", "/x")

    assert without_pool(client)
