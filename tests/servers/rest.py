"""InfluxDB, Weaviate and ArangoDB asked over plain HTTP, without our own code.

`keys` are those of an environment: `url`, for some `token` and `org`. The embedded Weaviate has its token in the url.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

Keys = Mapping[str, str]


def asked(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, Any]:
    """Status and JSON of an answer; None where it holds none."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read()
    return status, json.loads(text) if text.startswith((b"{", b"[")) else None


def sent(keys: Keys, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """A request with the login or token of the keys. A body of bytes is sent as it is, any other as JSON."""
    parts = urlsplit(keys["url"])
    headers = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
    token = keys.get("token") or (parse_qs(parts.query).get("token") or [""])[0]
    if token:
        headers["Authorization"] = f"{'Token' if 'org' in keys else 'Bearer'} {token}"
    elif parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + b64encode(login.encode()).decode()
    text = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return asked(method, f"{parts.scheme}://{parts.hostname}:{parts.port}{path}", text, headers)


def good(keys: Keys, method: str, path: str, body: object = None) -> Any:
    """The answer to a request that must succeed."""
    status, answer = sent(keys, method, path, body)
    assert status < 400, f"{method} {path}: {status} {answer}"
    return answer


def influxql(keys: Keys, statement: str, database: str = "") -> list[dict[str, Any]]:
    """The rows of an InfluxQL statement as name → value; times are nanoseconds."""
    query = urlencode({"epoch": "ns", "q": statement} | ({"db": database} if database else {}))
    [result] = good(keys, "POST", f"/query?{query}")["results"]
    assert "error" not in result, f"{statement}: {result['error']}"
    return [
        {**series.get("tags", {}), "series": series.get("name", ""), **dict(zip(series["columns"], row, strict=True))}
        for series in result.get("series", ())
        for row in series.get("values", ())
    ]


def put_influx(url: str, number: int) -> None:
    influxql({"url": url}, "CREATE DATABASE provision")
    good({"url": url}, "POST", "/write?db=provision", f"kept number={number}i {number}".encode())


def put_influx_2(url: str, number: int) -> None:
    line = f"kept number={number}i {number}".encode()
    good({"url": url}, "POST", "/api/v2/write?org=provision&bucket=provision", line)


def kept_influx(url: str) -> list[int]:
    return [row["number"] for row in influxql({"url": url}, "SELECT number FROM kept", "provision")]


def kept_influx_2(url: str) -> list[int]:
    """By InfluxQL, to which a bucket is a database of that name."""
    asked = {"url": url, "org": "provision"}
    return [row["number"] for row in influxql(asked, "SELECT number FROM kept", "provision")]


def put_weaviate(url: str, number: int) -> None:
    kept = {"class": "Kept", "vectorizer": "none", "properties": [{"name": "number", "dataType": ["int"]}]}
    status, answer = sent({"url": url}, "POST", "/v1/schema", kept)
    assert status == 200 or "already exists" in str(answer), answer
    good({"url": url}, "POST", "/v1/objects", {"class": "Kept", "properties": {"number": number}})


def kept_weaviate(url: str) -> list[int]:
    answer = good({"url": url}, "GET", "/v1/objects?class=Kept&limit=100")
    return sorted(each["properties"]["number"] for each in answer["objects"])


PUT: dict[str, Callable[[str, int], None]] = {
    "influx": put_influx,
    "influx2": put_influx_2,
    "weaviate": put_weaviate,
}
KEPT: dict[str, Callable[[str], list[int]]] = {
    "influx": kept_influx,
    "influx2": kept_influx_2,
    "weaviate": kept_weaviate,
}


def part(text: str) -> str:
    """A part of a path."""
    return quote(text, safe="")
