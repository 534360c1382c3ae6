"""What InfluxDB 2 refuses, as it says it."""

from __future__ import annotations

from typing import Any

_STATUS = {
    "internal error": 500,
    "not implemented": 501,
    "not found": 404,
    "conflict": 422,
    "invalid": 400,
    "unprocessable entity": 422,
    "forbidden": 403,
    "unauthorized": 401,
    "method not allowed": 405,
}


class Refused(Exception):
    """Raised for a request that the server refuses; `code` is the server's own word for the kind of refusal."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message, self.status = code, message, _STATUS[code]
        super().__init__(f"{code}: {message}")

    def body(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message}
