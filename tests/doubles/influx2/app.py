"""The InfluxDB 2 double: login, the document's word, and the function that answers."""

from __future__ import annotations

import dataclasses
import gzip
import json
from typing import Any

from tests.doubles.influx2 import routes
from tests.doubles.influx2.document import contract
from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.routing import ROUTES, Call, Permissions
from tests.doubles.influx2.state import State
from tests.doubles.served.contract import METHODS, Place
from tests.doubles.served.messages import Answer, Request

VERSION = "v2.7.12-double"
_OPEN = ("/ping", "/health", "/ready", "/api/v2/setup")


class InfluxDouble:
    """`tests.doubles.served.server.Double`; state in memory. Without a token any login is accepted."""

    name = "InfluxDB"

    def __init__(self, token: str | None, org: str, version: str = VERSION, *, set_up: bool = True) -> None:
        self.contract = contract()
        self._made = token, org, set_up
        self._version = version
        self.reset()

    def reset(self) -> None:
        token, org, set_up = self._made
        self.state = State(token, org, set_up=set_up)

    def seen(self, request: Request) -> Request:
        if request.headers.get("content-encoding") == "gzip":
            return dataclasses.replace(request, body=gzip.decompress(request.body))
        return request

    def refused(self, request: Request, place: Place | None) -> Answer | None:
        try:
            if place is None:
                self._lost(request)
            if request.path not in _OPEN:
                self._login(request)
            if request.kind.startswith("application/json"):
                _json(request)
        except Refused as refused:
            return _answer(refused, self._version)
        return None

    def invalid(self, place: Place, problems: list[str]) -> Answer:
        del place
        return _answer(Refused("invalid", "; ".join(problems)), self._version)

    def answered(self, request: Request, place: Place) -> Answer:
        try:
            function = ROUTES.get((place.template, place.method))
            if function is None:
                what = f"the double does not answer {place.method.upper()} {place.template}"
                raise Refused("not implemented", what)
            permissions = None if request.path in _OPEN else self._login(request)
            body = _json(request) if request.kind.startswith("application/json") else None
            call = Call(self.state, request, place.variables, body, permissions, self._version)
            answer = function(call)
        except Refused as refused:
            return _answer(refused, self._version)
        answer.headers |= _headers(self._version)
        return answer

    def failed(self, reason: str) -> Answer:
        return Answer(500, {"code": "internal error", "message": f"the double is wrong: {reason}"})

    def _login(self, request: Request) -> Permissions:
        """What the token may do. Raises Refused (unauthorized)."""
        scheme, _, sent = str(request.headers.get("authorization", "")).partition(" ")
        for each in self.state.tokens.values():
            if scheme.lower() in ("token", "bearer") and each["token"] == sent.strip() and each["status"] == "active":
                found: Permissions = each["permissions"]
                return found
        if self.state.token is None:
            return None
        raise Refused("unauthorized", "unauthorized access")

    def _lost(self, request: Request) -> None:
        """Raises Refused: a method that a path has not, a path that there is not."""
        if any(self.contract.place(method, request.path) for method in METHODS):
            raise Refused("method not allowed", "method not allowed")
        raise Refused("not found", "path not found")


def _json(request: Request) -> Any:
    """Raises Refused (invalid)."""
    if not request.body.strip():
        return None
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise Refused("invalid", f"request body decode failed: {error}") from None


def _headers(version: str) -> dict[str, str]:
    return {"X-Influxdb-Build": "OSS", "X-Influxdb-Version": version}


def _answer(refused: Refused, version: str) -> Answer:
    headers = {"X-Platform-Error-Code": refused.code, **_headers(version)}
    return Answer(refused.status, refused.body(), headers=headers)


assert routes
