"""One connection to a Redis server: opens it, words its refusals, and keeps redis-py's types at the border."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provision.errors import ConfigError, FailedError, ProvisionError, UnreachableError
from provision.stores.redis.plain import NotPlain, PlainRedis, opened

if TYPE_CHECKING:
    import redis

OLDEST = (6, 2)
CONNECT_SECONDS = 5.0
# A script over a page of keys answers in milliseconds; a server that is silent this long is lost.
ANSWER_SECONDS = 60.0
PAGE = 500

Word = str | int | bytes


def queue(pipe: Any, commands: Iterable[Sequence[Word]]) -> None:
    """Put commands into a pipeline of redis-py."""
    for words in commands:
        pipe.execute_command(*_encoded(words))


def _encoded(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words as redis-py is given them: with hiredis installed it refuses text that came from no UTF-8.

    The name stays text, by which redis-py finds how an answer is read.
    """
    name, *rest = words
    return name, *(word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word for word in rest)


def place(url: str) -> str:
    """The url as it may be shown: without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Server:
    """Sends commands and answers plain values. Text that is not UTF-8 survives a round trip.

    `plain` answers the first questions, until it cannot or something else is asked; then there is redis-py alone.
    """

    def __init__(self, make: Callable[[], redis.Redis], shown: str, plain: PlainRedis | None = None) -> None:
        self._make, self._plain = make, plain
        self.shown = shown
        self.version: tuple[int, ...] = ()

    @cached_property
    def client(self) -> Any:
        """The client; redis-py leaves its execute_command and watch untyped."""
        self._leave_plain()
        return self._make()

    def close(self) -> None:
        self._leave_plain()
        if "client" in vars(self):
            self.client.close()

    def about(self, section: str) -> dict[str, Any]:
        """A section of INFO. Raises redis.RedisError as the client does."""
        text = self._asked("INFO", section)
        if text is None:
            found: dict[str, Any] = self.call("INFO", section)
            return found
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line and not line.startswith("#"))

    def entries(self, key: str, start: str, count: int) -> list[tuple[str, dict[str, str]]]:
        """Entries of a stream and their fields, from `start` on. Raises redis.RedisError as the client does."""
        words = ("XRANGE", key, start, "+", "COUNT", str(count))
        listed = self._asked(*words)
        if listed is None:
            found: list[tuple[str, dict[str, str]]] = self.call(*words)
            return found
        return [(name, dict(zip(fields[::2], fields[1::2], strict=True))) for name, fields in listed]

    def _asked(self, *words: str) -> Any:
        """The plain answer to a question, or None."""
        if self._plain is None:
            return None
        try:
            return self._plain.call(*words)
        except NotPlain:
            return None

    def _leave_plain(self) -> None:
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.close()

    def call(self, *words: Word) -> Any:
        """The server's answer. Raises redis.RedisError as the client does."""
        return self.client.execute_command(*_encoded(words))

    def script(self, text: str, keys: Sequence[str], *words: Word) -> Any:
        """What a Lua script answers. Raises redis.RedisError as the client does."""
        return self.call("EVAL", text, len(keys), *keys, *words)

    def together(self, *commands: Sequence[Word]) -> list[Any]:
        """The answers to several reading commands at one instant."""
        with self.client.pipeline(transaction=True) as pipe:
            queue(pipe, commands)
            return list(pipe.execute())

    def pages(self, pattern: str, kind: str | None = None) -> Iterator[list[str]]:
        """The keys that match, at most `PAGE` at a time, by SCAN: the server is never held up by a large keyspace."""
        cursor = "0"
        tail = () if kind is None else ("TYPE", kind)
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", PAGE, *tail)
            for start in range(0, len(keys), PAGE):
                yield keys[start : start + PAGE]
            if str(cursor) == "0":
                return

    def pairs(self, *words: Word) -> dict[str, Any]:
        """An answer made of names and values in turn."""
        answer = self.call(*words)
        if isinstance(answer, dict):
            return answer
        return dict(zip(answer[::2], answer[1::2], strict=True))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises UnreachableError or ConfigError for what goes wrong inside, before anything was changed."""
        try:
            yield
        except Exception as error:
            import redis  # who asks plainly only does without it

            if isinstance(error, redis.RedisError):
                raise refused(error, self.shown) from None
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises FailedError (server-lost, server-refused) for what goes wrong inside."""
        import redis

        try:
            yield
        except (redis.ConnectionError, redis.TimeoutError):
            raise FailedError(
                "server-lost",
                "the server went away during a run",
                where=self.shown,
                fix="see that it runs, then run the same command again: what was in flight is probed first",
            ) from None
        except redis.RedisError as error:
            raise FailedError(
                "server-refused", f"the server refused: {error}", where=self.shown, fix="see to the cause, run again"
            ) from None


TLS = {"ca_cert": "ssl_ca_certs", "client_cert": "ssl_certfile", "client_key": "ssl_keyfile"}
VERIFY = {True: ("ssl_cert_reqs", "required"), False: ("ssl_cert_reqs", "none")}


def connect(url: str) -> Server:
    """An open, writable, recent enough server.

    Raises UnreachableError (unreachable), or ConfigError (bad-url, wrong-password, no-such-database, server-too-old,
    cluster-mode, read-only-replica, not-allowed). No message holds the password.
    """
    plain = opened(url)
    server = _made(url) if plain is None else Server(partial(_client, url, ANSWER_SECONDS), place(url), plain)
    # A port that takes connections and never answers, as one without TLS does when asked for it, is given up soon.
    first = server if plain is not None else Server(partial(_client, url, CONNECT_SECONDS), server.shown)
    try:
        with first.reading():
            server.version = _accepted(first)
    except TypeError:  # an option behind the question mark that redis-py does not know
        raise _bad_url(server.shown) from None
    except BaseException:
        server.close()
        raise
    finally:
        if first is not server:
            first.close()
    return server


def _made(url: str) -> Server:
    """A server that only redis-py asks. Raises ConfigError (bad-url)."""
    shown = ""
    try:
        shown = place(url)
        client = _client(url, ANSWER_SECONDS)
    except ValueError:
        raise _bad_url(shown) from None
    return Server(lambda: client, shown)


def _bad_url(shown: str) -> ConfigError:
    return ConfigError(
        "bad-url",
        "not a Redis url",
        where=shown,
        fix="write redis://user:password@host:6379/0, special characters percent-encoded (@ as %40)",
    )


def _client(url: str, seconds: float) -> redis.Redis:
    import redis

    return redis.Redis.from_url(
        url,
        **_kept_alive(url),
        decode_responses=True,
        encoding_errors="surrogateescape",
        protocol=2,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=seconds,
        # Sent again after a time-out, a script would meet its own event and take it for another run's.
        retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
    )


def _kept_alive(url: str) -> dict[str, Any]:
    from provision.net import keepalive

    if urlsplit(url).scheme == "unix":
        return {}
    return {"socket_keepalive": True, "socket_keepalive_options": keepalive.of_tcp()}


def _accepted(server: Server) -> tuple[int, ...]:
    """The version of a server that can be worked with."""
    about: dict[str, Any] = {}
    for section in ("server", "replication"):
        about |= server.about(section)
    version = str(about["redis_version"])
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    if numbers < OLDEST:
        raise ConfigError(
            "server-too-old",
            f"Redis {'.'.join(str(part) for part in OLDEST)} or later is needed, the server is {version}",
            where=server.shown,
            fix="upgrade the server",
        )
    if about.get("redis_mode") != "standalone":
        raise ConfigError(
            "cluster-mode",
            f"the server runs in {about.get('redis_mode')} mode, where one script cannot reach every key",
            where=server.shown,
            fix="name a standalone server",
        )
    if about.get("role") != "master":
        raise ConfigError(
            "read-only-replica",
            f"the server is a replica of {about.get('master_host')}:{about.get('master_port')}",
            where=server.shown,
            fix="name the primary",
        )
    return numbers


def refused(error: redis.RedisError, shown: str) -> ProvisionError:
    """What a refusal to connect or to be read means, in words of ours."""
    import redis

    if isinstance(error, redis.AuthenticationError):
        missing = "Authentication required" in str(error) or "NOAUTH" in str(error)
        what = "the server asks for a password and the url has none" if missing else "the server refused the password"
        if "without any password configured" in str(error):
            what = "the url has a password and the server has none"
        return ConfigError("wrong-password", what, where=shown, fix="correct user and password in the url")
    if isinstance(error, redis.exceptions.NoPermissionError):
        return ConfigError("not-allowed", f"the server refused: {error}", where=shown, fix="give the user that right")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.InvalidResponse):
        return UnreachableError(
            "unreachable",
            f"no answer: {_cause(error)}",
            where=shown,
            fix="see that the server runs and the url is right",
        )
    if "DB index" in str(error):
        return ConfigError(
            "no-such-database", "the server has no such database number", where=shown, fix="name a lower one in the url"
        )
    return ConfigError("server-refused", f"the server refused: {error}", where=shown, fix="see to the cause")


def _cause(error: BaseException) -> str:
    import socket
    import ssl

    import redis

    chain: list[BaseException] = [error]
    while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None and deeper not in chain:
        chain.append(deeper)
    for each in chain:
        if isinstance(each, socket.gaierror):
            return "the host name is not known"
        if isinstance(each, ConnectionRefusedError):
            return "nothing listens there"
        if isinstance(each, ssl.SSLError):
            return f"TLS failed ({each.reason or each})"
        if isinstance(each, redis.BusyLoadingError):
            return "the server is still loading its data"
        if isinstance(each, TimeoutError | redis.TimeoutError):
            return "the time ran out"
        if isinstance(each, redis.InvalidResponse):
            return "what listens there speaks another protocol"
    text = str(error).rstrip(".")
    return text[:1].lower() + text[1:]
