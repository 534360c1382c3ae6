"""A contract double of ArangoDB 3.12: stateful, in memory, held to the vendor's OpenAPI document. It is no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def arango_double(password: str | None = None, version: str = "") -> Iterator[str]:
    """The url of a double of its own process, without user and password; skips where the document is missing.

    Raises AssertionError at the end when an answer broke the document.
    """
    from tests.doubles.served.process import running
    from tests.doubles.served.required import require_document

    require_document("arangodb-openapi-calibrated.json", "ArangoDB contract double")
    options = [
        *(["--password", password] if password is not None else []),
        *(["--version", version] if version else []),
    ]
    with running("tests.doubles.arango", options) as url:
        yield url
