"""Where the vendor's files are: `../shared/specs` beside the repository, or the folder in PROVISION_SPECS."""

from __future__ import annotations

from pathlib import Path

from tests.doubles.arango.document import FILE
from tests.doubles.served.contract import folder

RECORDED = "arangodb-recorded-exchanges.json"


def openapi() -> Path | None:
    """The vendor's OpenAPI document as it is, without what the double adds; None where it is missing."""
    return _there(FILE)


def recorded() -> Path | None:
    """The vendor's recorded exchanges; None where they are missing."""
    return _there(RECORDED)


def _there(name: str) -> Path | None:
    path = folder() / name
    return path if path.is_file() else None
