"""A JSON service over HTTP: one pool of connections, time limits, retries that cannot do a thing twice, TLS, words.

For the stores whose own interface is REST; urllib3 does the work from the first request on that is no plain question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit

from provision.errors import ConfigError, FailedError, UnreachableError
from provision.model import StoreOptions
from provision.net.causes import cause, placed
from provision.net.plain import BUSY, PlainHttp, Reply, Silent

if TYPE_CHECKING:
    import urllib3

CONNECT_SECONDS = 5.0
# An operation on a schema answers in milliseconds; a server that is silent this long is lost.
ANSWER_SECONDS = 60.0


class Unanswered(Exception):
    """Raised when no answer came; what was asked for may have been done."""


class Answer(NamedTuple):
    """What the server said. `body` is its JSON, or None where it sent none; `text` is what it sent."""

    status: int
    body: Any
    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return self.status < 400


class Address(NamedTuple):
    """A url taken apart: `base` without user, password and options, ending without a slash."""

    base: str
    user: str
    password: str
    options: Mapping[str, str]

    @classmethod
    def of(cls, url: str, example: str) -> Address:
        """The parts of a url. Raises ConfigError (bad-url) for one that is not http(s)."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            fix = f"write {example}, special characters percent-encoded (@ as %40)"
            raise ConfigError("bad-url", "not an http or https url", fix=fix)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        base = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        options = dict(each.partition("=")[::2] for each in parts.query.split("&") if each)
        return cls(
            base,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            {name: unquote(value) for name, value in options.items()},
        )


class Http:
    """One server. Safe to use from several threads."""

    def __init__(
        self, base: str, headers: Mapping[str, str], options: StoreOptions, *, seconds: float = ANSWER_SECONDS
    ) -> None:
        self.shown = base
        self._base = base
        self._headers = dict(headers)
        self._seconds, self._options = seconds, options
        # Over https, trust is the business of urllib3 and its options.
        self._plain = PlainHttp(base, CONNECT_SECONDS) if base.startswith("http://") else None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        reads: bool = False,
    ) -> Answer:
        """Send a request and return the answer, whatever its status. A `body` of bytes or text is sent as it is.

        Asked again, with growing pauses: what found the server busy, what never reached it, and what was lost on the
        way if twice is as good as once, as a GET is and what only `reads`. Not asked again: a server that stays silent
        for `seconds`. Raises Unanswered, and ConfigError (redirected) or FailedError (answer-too-large).
        """
        sent, kind = _encoded(body)
        target = self._base + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        every = {**self._headers, **kind, **(headers or {})}
        limit, used = seconds or self._seconds, 0
        if self._plain is not None and (reads or method == "GET"):
            reply = self._asked_plainly(method, target, sent, every, limit)
            if reply is not None and reply.status not in BUSY:
                return _answer(reply)
            used = 0 if reply is not None and "retry-after" in reply.headers else 1
        self._leave_plain()
        return self._sent(method, target, sent, every, limit, used)

    def _asked_plainly(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Reply | None:
        assert self._plain is not None
        try:
            with placed(self.shown):
                return self._plain.ask(method, target.removeprefix(_origin(self._base)), body, headers, seconds)
        except Silent:
            raise Unanswered(cause("timed out")) from None

    def _leave_plain(self) -> None:
        """From now on there is the pool alone."""
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.close()

    def _sent(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], seconds: float, used: int
    ) -> Answer:
        """The answer by way of urllib3, `used` attempts having been made. Raises Unanswered."""
        import urllib3

        from provision.net.guard import unpacked
        from provision.net.retry import patience

        limit, rules = urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds), patience(used)
        try:
            with placed(self.shown):
                raw = self._pool.request(
                    method,
                    target,
                    body=body,
                    headers=headers,
                    timeout=limit,
                    retries=rules,
                    redirect=False,
                    decode_content=False,
                )
                data = unpacked(raw.data, raw.headers.get("content-encoding", "identity"))
        except urllib3.exceptions.HTTPError as error:
            raise Unanswered(_cause(error)) from None
        return _answer(Reply(raw.status, data, {name.lower(): value for name, value in raw.headers.items()}))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises UnreachableError for no answer inside, before anything was changed."""
        try:
            yield
        except Unanswered as lost:
            raise UnreachableError(
                "unreachable",
                f"no answer: {lost}",
                where=self.shown,
                fix="see that the server runs and the url is right",
            ) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises FailedError (server-lost) for no answer inside."""
        try:
            yield
        except Unanswered as lost:
            raise FailedError(
                "server-lost",
                f"the server went away during a run: {lost}",
                where=self.shown,
                fix="see that it runs, then run the same command again: what was in flight is probed first",
            ) from None

    def close(self) -> None:
        self._leave_plain()
        if "_pool" in vars(self):
            self._pool.clear()

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return _pool(self._options)


def path_of(*parts: str) -> str:
    """A path of these segments, each percent-encoded."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def sendable(token: str) -> str:
    """The token. Raises ConfigError (bad-value) for one that no header can carry, without showing it."""
    if token.isascii() and token.isprintable() and token == token.strip():
        return token
    raise ConfigError(
        "bad-value",
        "the token holds a line break, a space at an end or a character beyond ASCII",
        where="token",
        fix="write the token alone: a file or a secret often ends with a line break",
    )


def refused_login(answer: Answer, shown: str, said: str, fix: str) -> ConfigError | None:
    """What a 401 or 403 means, `said` being the server's own words; None for any other status."""
    if answer.status == 401:
        return ConfigError("wrong-password", f"the server refused the login: {said}", where=shown, fix=fix)
    if answer.status == 403:
        what = f"the server refused: {said}"
        return ConfigError("not-allowed", what, where=shown, fix="give the user that right")
    return None


def _pool(options: StoreOptions) -> urllib3.PoolManager:
    import urllib3

    from provision.net.guard import Guarded, guarded

    names: dict[str, Any] = {
        _TLS[key]: str(options.root / str(options.extra[key])) for key in _TLS if options.extra.get(key)
    }
    if options.extra.get("verify") in (False, "false"):
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        names |= {"cert_reqs": "CERT_NONE", "assert_hostname": False}
    made = urllib3.PoolManager(maxsize=8, **{"cert_reqs": "CERT_REQUIRED", **names})
    guarded(made, Guarded)
    return made


_TLS = {"ca_cert": "ca_certs", "client_cert": "cert_file", "client_key": "key_file"}


def _encoded(body: object) -> tuple[bytes | None, Mapping[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {}
    if isinstance(body, str):
        return body.encode(), {}
    return json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"}


def _answer(reply: Reply) -> Answer:
    text = reply.data.decode("utf-8", "replace")
    try:
        body = json.loads(text) if text else None
    except ValueError:
        body = None
    return Answer(reply.status, body, text, reply.headers)


def _origin(base: str) -> str:
    """Scheme, host and port of a url without user and password."""
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _cause(error: BaseException) -> str:
    """The reason at the bottom of urllib3's chain, in a few words."""
    reason: BaseException = error
    while isinstance(deeper := getattr(reason, "reason", None), BaseException):
        reason = deeper
    return cause(f"{type(reason).__name__}: {reason}")
