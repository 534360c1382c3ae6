"""What a test run must have: PROVISION_TEST_REQUIRE=postgres,redis,influx,influx2,weaviate,pgbouncer, or `all`.

A missing one of these fails; any other is skipped, with the reason. `all` includes tools such as openssl.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

NAMES = ("postgres", "clickhouse", "redis", "influx", "influx2", "weaviate", "pgbouncer", "actionlint")


def required() -> frozenset[str]:
    """The names that PROVISION_TEST_REQUIRE lists. Raises pytest.UsageError for one that is not known."""
    listed = os.environ.get("PROVISION_TEST_REQUIRE", "").split(",")
    names = frozenset(each.strip() for each in listed) - {""}
    if unknown := sorted(names - {*NAMES, "all"}):
        raise pytest.UsageError(f"PROVISION_TEST_REQUIRE names {', '.join(unknown)}; known: {', '.join(NAMES)}, all")
    return names


def not_run(what: str, source: str, name: str = "") -> NoReturn:
    """Skip with the reason; fail where `name`, a server of NAMES or empty for a mere tool, is required."""
    say = pytest.fail if required() & {name or "all", "all"} else pytest.skip
    say(f"not run: no {what} ({source})")
