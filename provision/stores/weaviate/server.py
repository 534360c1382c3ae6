"""One Weaviate server over REST: opens it, words its refusals, and reads its schema as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from provision.documents.refused import Refused
from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.model import StoreOptions
from provision.net.http import ANSWER_SECONDS, CONNECT_SECONDS, Address, Answer, Http, path_of, refused_login, sendable
from provision.net.tls import FILES

if TYPE_CHECKING:
    from provision.stores.weaviate.copy.grpc import GrpcBatches

OLDEST = (1, 27, 0)
_WITH_ALIASES = (1, 32, 0)
EXAMPLE = "http://host:8080"
# Objects a page: the server answers no more than 10,000 (QUERY_MAXIMUM_RESULTS).
PAGE = 500

Class = Mapping[str, Any]


class Server:
    """Reads answer plain values, changes go through `send`. No text of it holds the API key."""

    def __init__(
        self,
        http: Http,
        version: str = "",
        stands_for: tuple[int, ...] = (),
        batches: Callable[[], GrpcBatches] | None = None,
    ) -> None:
        self._http, self._batches = http, batches
        self.version = version
        self.numbers = numbers(version) or stands_for  # `1.40.0-dev` is 1, 40, 0
        self.shown = http.shown

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises UnreachableError for no answer inside, before anything was changed."""
        with self._http.reading():
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises FailedError (server-lost) for no answer inside."""
        with self._http.writing():
            yield

    def ask(
        self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None
    ) -> Answer | None:
        """The answer to a reading request; None for a 404.

        Raises http.Unanswered, ConfigError (wrong-password, not-allowed, server-refused).
        """
        answer = self._http.call(method, f"/v1{path}", body, query=query)
        if answer.status == 404:
            return None
        if not answer.ok:
            raise refusal(answer, self.shown)
        return answer

    def peek(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an answer, whatever its status. Raises http.Unanswered, ConfigError (wrong-password)."""
        answer = self._http.call("GET", f"/v1{path}")
        if answer.status == 401:
            raise refusal(answer, self.shown)
        return answer.status, answer.body

    def send(self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None) -> Answer:
        """The answer to a changing request. Raises http.Unanswered, refused.Refused with the server's words."""
        answer = self._http.call(method, f"/v1{path}", body, query=query)
        if not answer.ok:
            fix = "give the API key that right" if answer.status == 403 else ""
            raise Refused(said(answer), fix)
        return answer

    def collections(self) -> dict[str, Class]:
        """Every collection by its name."""
        answer = self.ask("GET", "/schema")
        listed = (answer.body or {}).get("classes") if answer else None
        return {each["class"]: each for each in sorted(listed or (), key=lambda each: str(each["class"]))}

    def collection(self, name: str) -> Class | None:
        """The collection of exactly that name, or None; the server itself would also take an alias for it."""
        answer = self.ask("GET", path_of("schema", name))
        found: Class | None = answer.body if answer else None
        return found if found is not None and found["class"] == name else None

    def indexed(self, name: str) -> bool:
        """Whether the collection has an index; a creation that was refused half-way leaves one without."""
        # Where a tenant is at rest the server answers 500: it cannot tell the state of that one.
        status, _ = self.peek(path_of("schema", name, "shards"))
        return status != 404

    def aliases(self) -> dict[str, str]:
        """Every alias and the collection it stands for, which may be gone."""
        answer = self.ask("GET", "/aliases")
        listed = (answer.body or {}).get("aliases") if answer else None
        return dict(sorted((each["alias"], each["class"]) for each in listed or ()))

    def alias(self, name: str) -> str | None:
        """The collection that the alias stands for, or None when there is no such alias."""
        answer = self.ask("GET", path_of("aliases", name))
        return str(answer.body["class"]) if answer else None

    def tenants(self, name: str) -> dict[str, str]:
        """Every tenant of the collection and its status, in today's words (`ACTIVE`, not `HOT`)."""
        answer = self.ask("GET", path_of("schema", name, "tenants"))
        listed = answer.body if answer else ()
        return dict(sorted((each["name"], status(each.get("activityStatus"))) for each in listed or ()))

    def count(self, name: str, tenant: str | None = None) -> int:
        """How many objects the collection (or one tenant of it) holds; exact."""
        narrowed = f'(tenant: "{tenant}")' if tenant is not None else ""
        query = f"{{Aggregate{{{name}{narrowed}{{meta{{count}}}}}}}}"
        answer = self.ask("POST", "/graphql", {"query": query})
        if answer is None or answer.body.get("errors"):
            raise refusal(answer or Answer(404, None, "no GraphQL here", {}), self.shown)
        return int(answer.body["data"]["Aggregate"][name][0]["meta"]["count"])

    def graphql(self, query: str) -> tuple[int, Any, str]:
        """Status, JSON and text of the answer to a reading query, whatever its status. Raises http.Unanswered."""
        answer = self._http.call("POST", "/v1/graphql", {"query": query})
        return answer.status, answer.body, answer.text

    @cached_property
    def batches(self) -> GrpcBatches | None:
        """What writes objects over gRPC; None for a server that was opened without."""
        return self._batches() if self._batches else None

    def close(self) -> None:
        if (opened := self.__dict__.get("batches")) is not None:
            opened.close()
        self._http.close()


_TODAY = {
    "HOT": "ACTIVE",
    "COLD": "INACTIVE",
    "FROZEN": "OFFLOADED",
    "FREEZING": "OFFLOADING",
    "UNFREEZING": "ONLOADING",
}


def status(word: str | None) -> str:
    """A tenant's status in today's words."""
    return _TODAY.get(word or "ACTIVE", word or "ACTIVE")


def numbers(version: str) -> tuple[int, ...]:
    """`1.39.0` and `1.40.0-dev` as numbers."""
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())


def connect(options: StoreOptions, url: str) -> Server:
    """An open, ready, recent enough server.

    Raises UnreachableError (unreachable), or ConfigError (bad-url, bad-value, wrong-password, not-allowed,
    server-too-old, server-refused). No message holds the API key.
    """
    address = Address.of(url, EXAMPLE)
    unknown = [name for name in address.options if name != "token"]
    if address.user or address.password or unknown:
        what = f"the url has an option {unknown[0]}" if unknown else "the url holds a user or password"
        fix = f"write {EXAMPLE}, and the API key as `token`"
        raise ConfigError("bad-url", f"{what}, which Weaviate does not take", fix=fix)
    key = sendable(str(options.extra.get("token") or address.options.get("token") or ""))
    headers = {"authorization": f"Bearer {key}"} if key else {}
    # A port that takes connections and never answers is given up soon.
    first = Http(address.base, headers, options, seconds=CONNECT_SECONDS)
    try:
        with first.reading():
            version = _version(first)
            stands_for = numbers(version) or _newest(first)
    finally:
        first.close()
    _refuse_old(version, stands_for, address.base)
    http = Http(address.base, headers, options, seconds=ANSWER_SECONDS)
    return Server(http, version, stands_for, lambda: _batches(options, address.base, key))


def _batches(options: StoreOptions, base: str, key: str) -> GrpcBatches:
    from provision.stores.weaviate.copy.grpc import GrpcAddress, GrpcBatches  # few commands write objects

    own_trust = any(options.extra.get(each) not in (None, "", True, "true") for each in (*FILES, "verify"))
    return GrpcBatches(GrpcAddress(str(options.extra.get("grpc") or ""), base, key, own_trust))


def _version(http: Http) -> str:
    ready = http.call("GET", "/v1/.well-known/ready")
    if ready.status == 503:
        fix = "wait until it is; `--wait-for 60s` does"
        raise UnreachableError("unreachable", "the server is not ready yet", where=http.shown, fix=fix)
    answer = http.call("GET", "/v1/meta")
    if not answer.ok:
        raise refusal(answer, http.shown)
    version = answer.body.get("version") if isinstance(answer.body, dict) else None
    if not isinstance(version, str):
        fix = "see that the url is that of a Weaviate server"
        raise ConfigError("server-refused", "what answers there is no Weaviate", where=http.shown, fix=fix)
    return version


def _newest(http: Http) -> tuple[int, ...]:
    """What a version without numbers, as of a server built from source, stands for: the newest part that is there."""
    return _WITH_ALIASES if http.call("GET", "/v1/aliases").ok else ()


def _refuse_old(version: str, stands_for: tuple[int, ...], where: str) -> None:
    if stands_for < OLDEST:
        oldest = ".".join(str(part) for part in OLDEST)
        what = f"Weaviate {oldest} or later is needed, the server is {version}"
        raise ConfigError("server-too-old", what, where=where, fix="upgrade the server")


def said(answer: Answer) -> str:
    """The server's own words for a refusal, on one line."""
    body = answer.body
    text = ""
    if isinstance(body, dict):
        listed = body.get("error") or body.get("errors")
        first = listed[0] if isinstance(listed, list) and listed else body
        text = str(first.get("message") or "") if isinstance(first, dict) else ""
    text = " ".join((text or answer.text).split())
    return text[:500] or f"status {answer.status}"


def refusal(answer: Answer, shown: str) -> ProvisionError:
    """What a refusal outside of a run's own changes means."""
    fix = "correct the API key, `token` in provision.toml"
    login = refused_login(answer, shown, said(answer), fix)
    if login is not None:
        return login
    what = f"the server refused: {said(answer)}"
    return ConfigError("server-refused", what, where=shown, fix="see to the cause")
