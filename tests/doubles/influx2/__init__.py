"""A contract double of InfluxDB 2: stateful, in memory, held to the vendor's OpenAPI document. It is no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def influx2_double(token: str | None = None, org: str = "double", version: str = "") -> Iterator[str]:
    """The url of a double of its own process, already set up; skips where the document is missing.

    Raises AssertionError at the end when an answer broke the document.
    """
    from tests.doubles.served.process import running
    from tests.doubles.served.required import require_document

    require_document("influxdb2-openapi.json", "InfluxDB 2 contract double")
    options = ["--org", org, *(["--token", token] if token is not None else [])]
    options += ["--version", version] if version else []
    with running("tests.doubles.influx2", options) as url:
        yield url
