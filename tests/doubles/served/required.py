"""What is said where a vendor's document is missing."""

from __future__ import annotations

from tests.doubles.served.contract import MissingDocument, document
from tests.servers.required import not_run


def require_document(name: str, what: str) -> None:
    """Skip with "not run" where the file is missing; fail where PROVISION_TEST_REQUIRE=all."""
    try:
        document(name)
    except MissingDocument as missing:
        not_run(what, str(missing).removeprefix("not run: "))
