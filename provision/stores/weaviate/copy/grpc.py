"""Objects over gRPC: written in the official client's batches, and read; vectors go as bytes, half the work of JSON.

Only what was read back counts. A batch that gRPC does not take as it is, or not whole, is left to REST.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from provision.net.http import ANSWER_SECONDS, Unanswered
from provision.stores.weaviate.copy.grpc_pages import GrpcPages

CLIENT = "weaviate-client"
# A port that takes connections and never answers is given up soon.
_CHECKED_SECONDS = 3.0
_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
# After one of these the batch may still land; after any other it does not.
_LOST = ("DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED", "UNKNOWN")


class NotOver(Exception):
    """Raised with the reason why nothing goes over gRPC."""


@dataclass(frozen=True, slots=True)
class GrpcAddress:
    """Where gRPC is, as `host:port`; empty where none is configured. `base` is the url of the same server's REST.

    `own_trust`: certificates are configured, of which the client takes none.
    """

    place: str
    base: str
    key: str
    own_trust: bool


class GrpcBatches:
    """One server's. Safe to use from several threads; nothing is imported or opened before the first question."""

    def __init__(self, address: GrpcAddress) -> None:
        self._address = address
        self._opening = threading.Lock()
        self._client: Any = None
        self._pages: GrpcPages | None = None
        self._why: str | None = None
        self._same = False

    def why_not(self) -> str:
        """Why objects are not written over gRPC; empty where they are."""
        with self._opening:
            if self._why is None:
                try:
                    self._client = _opened(self._address)
                    secure = self._address.base.startswith("https:")
                    self._pages = GrpcPages(self._address.place, self._address.key, secure=secure)
                    self._why = ""
                except NotOver as error:
                    self._why = str(error)
            return self._why

    def holds(self, name: str, tenant: str | None, key: str) -> bool:
        """Whether this object is there over gRPC: both addresses are of one server. Asked until it is."""
        if self.why_not():
            return False
        if not self._same:
            from weaviate.exceptions import WeaviateBaseError

            try:
                self._same = self._collection(name, tenant).query.fetch_object_by_id(key) is not None
            except WeaviateBaseError:
                return False
        return self._same

    def page(
        self, name: str, tenant: str | None, after: str, size: int, vectors: Sequence[str] | None
    ) -> list[dict[str, Any]] | None:
        """At most so many objects behind that of id `after`, as `GrpcPages.page` reads them; None: ask over REST."""
        if not self.holds(name, tenant, after) or self._pages is None:
            return None
        return self._pages.page(name, tenant, after, size, vectors)

    def put(self, name: str, tenant: str | None, objects: Sequence[Mapping[str, Any]]) -> bool:
        """Write objects over those with the same ids; False where not all of them were taken, and none is on its way.

        Raises Unanswered.
        """
        if self.why_not() or not all(_plain(each["properties"]) for each in objects):
            return False
        from weaviate.classes.data import DataObject
        from weaviate.exceptions import WeaviateBaseError

        made = [
            DataObject(properties=each["properties"], uuid=each["id"], vector=each.get("vector") or each.get("vectors"))
            for each in objects
        ]
        try:
            with _QUIET:
                return not self._collection(name, tenant).data.insert_many(made).errors
        except (WeaviateBaseError, ValueError, TypeError) as error:
            code = getattr(getattr(error, "__context__", None), "code", None)
            if code is not None and code().name in _LOST:
                raise Unanswered(f"gRPC of {self._address.place}: {code().name}") from None
            return False

    def close(self) -> None:
        with self._opening:
            if self._client is not None:
                self._client.close()
            if self._pages is not None:
                self._pages.close()
            self._client, self._pages, self._why = None, None, "it is closed"

    def _collection(self, name: str, tenant: str | None) -> Any:
        found = self._client.collections.get(name)
        return found if tenant is None else found.with_tenant(tenant)


def _opened(address: GrpcAddress) -> Any:
    """The client. Raises NotOver."""
    if not address.place:
        raise NotOver("no `grpc` is configured")
    host, _, port = address.place.rpartition(":")
    if not host or not port.isdigit():
        raise NotOver(f"`grpc` is {address.place}, not host:port")
    if address.own_trust:
        raise NotOver(f"{CLIENT} takes no certificates of one's own")
    try:
        # One of the client's libraries insists on saying what it is about to lose, whatever filters say.
        with warnings.catch_warnings(record=True):
            import weaviate
    except ImportError:
        raise NotOver(f"{CLIENT} is not installed") from None
    parts = urlsplit(address.base)
    secure = parts.scheme == "https"
    _check(f"{host}:{port}", secure=secure)
    from weaviate.classes.init import AdditionalConfig, Auth, Timeout

    try:
        return weaviate.connect_to_custom(
            http_host=parts.hostname or "",
            http_port=parts.port or (443 if secure else 80),
            http_secure=secure,
            grpc_host=host.strip("[]"),
            grpc_port=int(port),
            grpc_secure=secure,
            auth_credentials=Auth.api_key(address.key) if address.key else None,
            additional_config=AdditionalConfig(timeout=Timeout(insert=ANSWER_SECONDS)),
            # Its own checks ask a package index what the newest client is.
            skip_init_checks=True,
        )
    except weaviate.exceptions.WeaviateBaseError as error:
        raise NotOver(f"{CLIENT}: {' '.join(str(error).split())[:200]}") from None


def _check(place: str, *, secure: bool) -> None:
    """Raises NotOver where no gRPC server says that it serves."""
    import grpc

    channel = grpc.secure_channel(place, grpc.ssl_channel_credentials()) if secure else grpc.insecure_channel(place)
    try:
        answer = channel.unary_unary(_HEALTH)(b"", timeout=_CHECKED_SECONDS)
    except grpc.RpcError as error:
        raise NotOver(f"{place} does not answer gRPC: {error.code().name}") from None
    finally:
        channel.close()
    if answer != _SERVING:
        raise NotOver(f"{place} says that it does not serve")


def _plain(properties: Mapping[str, Any]) -> bool:
    """Whether the values have no members: places, telephone numbers, references and objects go over REST."""
    return not any(
        isinstance(each, dict)
        for value in properties.values()
        for each in (value if isinstance(value, list) else [value])
    )


class _Quiet(logging.Filter):
    """Keeps the client from logging what REST is asked to say better, in the threads that are inside."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = threading.local()

    def __enter__(self) -> None:
        logging.getLogger(CLIENT).addFilter(self)  # adding it again adds nothing
        self._inside.here = True

    def __exit__(self, *_: object) -> None:
        self._inside.here = False

    def filter(self, _record: logging.LogRecord) -> bool:
        return not getattr(self._inside, "here", False)


_QUIET = _Quiet()
