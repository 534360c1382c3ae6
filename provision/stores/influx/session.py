"""A session with an InfluxDB 2.x server: opens it, words its refusals, keeps the untyped client at the border."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from provision.documents.refused import Refused
from provision.errors import ConfigError, FailedError, ProvisionError, UnreachableError
from provision.model import StoreOptions
from provision.net.causes import cause, placed
from provision.net.guard import guarded
from provision.net.http import ANSWER_SECONDS, CONNECT_SECONDS, Address, sendable

_TLS = {"ca_cert": "ssl_ca_cert", "client_cert": "cert_file", "client_key": "cert_key_file"}
_RIGHT = "give the token that right"


class InfluxSession:
    """`api` is the package influxdb_client and `client` its client, both untyped.

    `org` is the organisation's id, `org_since` when it was made.
    """

    def __init__(self, client: Any, shown: str, store: str) -> None:
        self.client, self.shown, self.store = client, shown, store
        self.api = _package()
        self.org = ""
        self.org_since: datetime | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises UnreachableError, or ConfigError (wrong-password, not-allowed, server-refused), before any change."""
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            with placed(self.shown):
                yield
        except HTTPError as error:
            raise self._unreachable(cause(str(error))) from None
        except ApiException as error:
            raise self._refused(error) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises Refused with the server's words, or FailedError (server-lost)."""
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            with placed(self.shown):
                yield
        except HTTPError as error:
            raise FailedError(
                "server-lost",
                f"the server went away during a run: {cause(str(error))}",
                where=self.shown,
                fix="see that it runs, then run the same command again: what was in flight is probed first",
            ) from None
        except ApiException as error:
            raise Refused(_said(error), _RIGHT if _lacks_right(error) else "") from None

    def may(self, ask: Callable[[], object]) -> bool:
        """Whether a request that the server never carries out is refused for what it says, not for want of a right."""
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            ask()
        except HTTPError as error:
            raise self._unreachable(cause(str(error))) from None
        except ApiException as error:
            if not error.status:
                raise self._refused(error) from None
            return not _lacks_right(error)
        return True

    def lacks(self, what: str) -> ConfigError:
        """The error for a login that is not told of what it may not see."""
        return ConfigError("not-allowed", what, where=self.shown, fix=_RIGHT)

    def find_org(self, name: str) -> None:
        """Ask for the organisation, which is what the login is tried with. Raises as `reading`, and no-such-org."""
        with self.reading():
            found = self.client.organizations_api().find_organizations(org=name)
        if not found:
            raise self._no_org()
        self.org, self.org_since = found[0].id, found[0].created_at

    def close(self) -> None:
        self.client.close()

    def _unreachable(self, reason: str) -> UnreachableError:
        fix = "see that the server runs and the url is right"
        return UnreachableError("unreachable", f"no answer: {reason}", where=self.shown, fix=fix)

    def _refused(self, error: Any) -> ProvisionError:
        said = _said(error)
        if not error.status:
            return self._unreachable(cause(said))
        if error.status == 401:
            fix = f"set {self.store}.token to one that this server knows, or user and password in the url"
            return ConfigError("wrong-password", f"the server refused the login: {said}", where=self.shown, fix=fix)
        if error.status == 403:
            return ConfigError("not-allowed", f"the server refused: {said}", where=self.shown, fix=_RIGHT)
        if error.status == 404 and not self.org:
            return self._no_org()
        return ConfigError("server-refused", f"the server refused: {said}", where=self.shown, fix="see to the cause")

    def _no_org(self) -> ConfigError:
        return ConfigError(
            "no-such-org",
            f"the server has no organisation {self.client.org}, or this login may not see it",
            where=self.shown,
            fix=f"correct {self.store}.org",
        )


def start(options: StoreOptions, address: Address, version: str) -> InfluxSession:
    """The session.

    Raises UnreachableError, or ConfigError (bad-value, wrong-password, not-allowed, missing-key, no-such-org).
    """
    org, token = (str(options.extra.get(key) or address.options.get(key) or "") for key in ("org", "token"))
    for key, given in (("org", org), ("token", token or address.user)):
        if not given:
            raise ConfigError(
                "missing-key",
                f"InfluxDB {version} needs {options.name}.{key}",
                where=address.base,
                fix=f'add {key} = "${{INFLUXDB_{key.upper()}}}" to {options.name} of this environment',
            )
    login = {"token": sendable(token)} if token else {"username": address.user, "password": address.password}
    session = InfluxSession(_client(options, address.base, org, login), address.base, options.name)
    try:
        session.find_org(org)
    except ProvisionError:
        session.close()
        raise
    return session


def _client(options: StoreOptions, base: str, org: str, login: Mapping[str, str]) -> Any:
    from provision.net.retry import patience

    client = _package().InfluxDBClient(
        base,
        org=org,
        timeout=(round(CONNECT_SECONDS * 1000), round(ANSWER_SECONDS * 1000)),
        retries=patience(),
        verify_ssl=options.extra.get("verify") not in (False, "false"),
        **{_TLS[key]: str(options.root / str(options.extra[key])) for key in _TLS if options.extra.get(key)},
        **login,
    )
    guarded(client.api_client.rest_client.pool_manager)
    return client


def _package() -> Any:
    import influxdb_client

    return influxdb_client


def _lacks_right(error: Any) -> bool:
    """A task that may not be made is answered as a fault of the server."""
    return error.status in (401, 403) or _said(error).endswith("unauthorized")


def _said(error: Any) -> str:
    """The server's words, on one line."""
    message = error.message.decode(errors="replace") if isinstance(error.message, bytes) else str(error.message)
    if message == "no response":  # what the client says where it has nothing of the server's
        message = str(error.reason or "")
    return " ".join(message.split())[:300] or f"HTTP {error.status}"
