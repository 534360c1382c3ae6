"""The few questions of a run that finds nothing to do, asked without clickhouse-connect: loading it costs more.

Whatever is no plain answer at once is left to the driver, so that time limits, retries and words are its own.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from provision.net.plain import PlainHttp, Silent

# Who needs longer is asked by the driver, which waits as long as its time limits say.
SECONDS = 10.0
PORT = 8123
_PROXIES = {"http_proxy", "all_proxy"}
_WORD = re.compile(r"[\w.:/ -]*", re.ASCII)  # nothing that the server's own escapes would change
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?")
Rows = tuple[Sequence[str], list[tuple[Any, ...]]]


class NotPlain(Exception):
    """Raised where the driver has to ask."""


class PlainClickhouse:
    """One server and one database."""

    def __init__(self, http: PlainHttp, database: str, headers: Mapping[str, str]) -> None:
        self._http, self._database, self._headers = http, database, headers

    def ask(self, sql: str, parameters: Mapping[str, object]) -> Rows:
        """The names and rows of a query of texts, whole numbers and moments. Raises NotPlain."""
        words = {f"param_{name}": str(value) for name, value in parameters.items()}
        if not all(map(_WORD.fullmatch, words.values())):
            raise NotPlain
        options = {"default_format": "JSONCompact", "database": self._database, **words}
        try:
            reply = self._http.ask("POST", f"/?{urlencode(options)}", sql.encode(), self._headers, SECONDS)
        except Silent:
            raise NotPlain from None
        if reply is None or reply.status != 200 or "x-clickhouse-exception-code" in reply.headers:
            raise NotPlain
        return _rows(reply.data)

    def close(self) -> None:
        self._http.close()


def opened(url: str) -> PlainClickhouse | None:
    """The server of a url; None where the url says more than host, login and database, or a proxy stands before it."""
    if any(name.lower() in _PROXIES for name in os.environ):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError:
        return None
    if not _is_plain(parts):
        return None
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    headers = {}
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    database = unquote(parts.path.strip("/")) or "default"
    return PlainClickhouse(PlainHttp(f"http://{host}:{port}", SECONDS), database, headers)


def _is_plain(parts: SplitResult) -> bool:
    return parts.scheme in ("clickhouse", "http") and bool(parts.hostname) and not (parts.query or parts.fragment)


def _rows(data: bytes) -> Rows:
    """Raises NotPlain."""
    try:
        found = json.loads(data.decode())
        names, types = ([str(each[part]) for each in found["meta"]] for part in ("name", "type"))
        readers = [_reader(each) for each in types]
        rows = [tuple(read(value) for read, value in zip(readers, row, strict=True)) for row in found["data"]]
        if found["rows"] != len(rows):  # a refusal in the middle of an answer
            raise NotPlain
    except (ValueError, KeyError, TypeError):
        raise NotPlain from None
    return names, rows


def _reader(name: str) -> Callable[[Any], Any]:
    """What reads a value of the type of that name. Raises NotPlain."""
    if name == "String":
        return _text
    if re.fullmatch(r"U?Int\d+", name):
        return int
    if re.fullmatch(r"DateTime(64\(6, 'UTC'\))?", name):
        return _moment
    raise NotPlain


def _text(value: object) -> str:
    if not isinstance(value, str) or "\ufffd" in value:  # what JSON makes of bytes that are no text
        raise NotPlain
    return value


def _moment(value: object) -> datetime:
    """Without a zone, as the driver gives it."""
    text = _text(value)
    if not _MOMENT.fullmatch(text):  # a user can have other formats in the profile
        raise NotPlain
    return datetime.fromisoformat(text)
