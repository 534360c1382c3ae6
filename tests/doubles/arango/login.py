"""Who asks: HTTP basic, or a token of /_open/auth."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from tests.doubles.arango.databases import Server
from tests.doubles.arango.errors import Refused
from tests.doubles.served.messages import Request

TOKEN_SECONDS = 3600
_SECRET = b"double"


def user(server: Server, request: Request) -> str:
    """The name of the user. Without a password every login is root's. Raises Refused (401)."""
    scheme, _, sent = str(request.headers.get("authorization", "")).partition(" ")
    if server.password is None:
        name = _basic(sent)[0] if scheme.lower() == "basic" else ""
        return name if name in server.users.known else "root"
    if scheme.lower() == "basic":
        return checked(server, *_basic(sent))
    if scheme.lower() == "bearer":
        return _of_token(server, sent)
    raise refused()


def refused() -> Refused:
    return Refused(11, "not authorized to execute this request", status=401)


def checked(server: Server, name: str, password: str) -> str:
    """Raises Refused (401)."""
    known = server.users.known.get(name)
    if known is None or not known["active"] or (server.password is not None and known["passwd"] != password):
        raise refused()
    return name


def token(name: str) -> str:
    """A JSON web token that says who and until when."""
    now = int(time.time())
    claims = {
        "server_id": "double",
        "iss": "arangodb",
        "preferred_username": name,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    signed = f"{_packed({'alg': 'HS256', 'typ': 'JWT'})}.{_packed(claims)}"
    return f"{signed}.{_signature(signed)}"


def _of_token(server: Server, sent: str) -> str:
    signed, _, signature = sent.rpartition(".")
    if not hmac.compare_digest(signature, _signature(signed)):
        raise refused()
    claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    if claims["exp"] < time.time() or claims["preferred_username"] not in server.users.known:
        raise refused()
    return str(claims["preferred_username"])


def _basic(sent: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(sent).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise refused() from None
    return name, password


def _packed(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _signature(text: str) -> str:
    made = hmac.new(_SECRET, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
