"""Who asks: there is one user, `default`, and its password."""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import parse_qs

from provision.embedded.clickhouse_server.faults import QueryFault
from provision.embedded.clickhouse_server.request import Headers


def authenticate(query: str, headers: Headers, password: str) -> None:
    """Accept headers X-ClickHouse-User/-Key, basic authentication, or parameters. Raises QueryFault 516."""
    user, given = _credentials(query, headers)
    if not hmac.compare_digest(given.encode(), password.encode()) or user not in ("default", ""):
        text = f"{user or 'default'}: Authentication failed: password is incorrect, or there is no user with such name"
        raise QueryFault(516, "AUTHENTICATION_FAILED", text)


def _credentials(query: str, headers: Headers) -> tuple[str, str]:
    user, password = headers.get("X-ClickHouse-User"), headers.get("X-ClickHouse-Key")
    if user or password:
        return user or "", password or ""
    scheme, _, value = (headers.get("Authorization") or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password
    fields = parse_qs(query)
    return fields.get("user", [""])[0], fields.get("password", [""])[0]
