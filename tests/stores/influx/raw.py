"""InfluxDB 1.x by plain HTTP: nothing of the store under test."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit


class Raw:
    """The server behind a url with a login."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.base = f"http://{parts.hostname}:{parts.port}"
        word = b64encode(f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()).decode()
        self._headers = {"Authorization": f"Basic {word}"} if parts.username else {}

    def ask(self, text: str) -> list[dict[str, Any]]:
        """The series that answer one statement."""
        body = urllib.parse.urlencode({"q": text, "epoch": "s"}).encode()
        (result,) = json.loads(self._send("/query", body))["results"]
        assert "error" not in result, f"{text}: {result['error']}"
        return list(result.get("series", ()))

    def rows(self, text: str) -> list[list[Any]]:
        return [row for series in self.ask(text) for row in series.get("values", ())]

    def records(self, text: str) -> list[dict[str, Any]]:
        """Every row as a mapping, tags among its values."""
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
            for series in self.ask(text)
            for row in series.get("values", ())
        ]

    def write(self, database: str, lines: list[str], tier: str = "") -> None:
        """Write points, their times in seconds."""
        query = {"db": database, "precision": "s", **({"rp": tier} if tier else {})}
        self._send(f"/write?{urllib.parse.urlencode(query)}", "\n".join(lines).encode())

    def tiers(self, database: str) -> dict[str, tuple[str, str, bool]]:
        """Name → duration, shard duration, default."""
        return {row[0]: (row[1], row[2], row[4]) for row in self.rows(f'SHOW RETENTION POLICIES ON "{database}"')}

    def queries(self, database: str) -> dict[str, str]:
        found = [each for each in self.ask("SHOW CONTINUOUS QUERIES") if each["name"] == database]
        return {row[0]: row[1] for each in found for row in each.get("values", ())}

    def databases(self) -> list[str]:
        return [row[0] for row in self.rows("SHOW DATABASES") if row[0] != "_internal"]

    def wipe(self) -> None:
        for name in self.databases():
            self.ask(f'DROP DATABASE "{name}"')

    def _send(self, path: str, body: bytes) -> str:
        asked = urllib.request.Request(self.base + path, data=body, headers=self._headers)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code} {error.read().decode()}") from None
