"""Writes the next pair of ClickHouse files through clickhouse-migrations, with our header lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clickhouse_migrations.migration import MigrationStorage

from provision.model import StoreOptions
from provision.text.files import UNFILLED, slug

_BODY = """\
-- description: {message}
{requires}--
-- Write the statements here, a semicolon after each, such as:
-- ALTER TABLE events ADD COLUMN source LowCardinality(String) DEFAULT '' COMMENT 'where the event came from';
"""
_DOWN = f"""
-- Write what undoes the other file here; without a way back delete this file. ({UNFILLED})
-- ALTER TABLE events DROP COLUMN source;
"""


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write `NNN_slug.sql` and `NNN_slug.down.sql` and return their paths.

    Raises ConfigError (bad-message), OSError, and ValueError for files whose names are no versions.
    """
    slug(message)
    needs = f"-- requires: {', '.join(requires)}\n" if requires else ""
    body = _BODY.format(message=message, requires=needs)
    up, down = MigrationStorage(options.path).create(message, with_down=True, body=body)
    with down.open("a", encoding="utf-8", newline="\n") as file:
        file.write(_DOWN)
    return [up, down]
