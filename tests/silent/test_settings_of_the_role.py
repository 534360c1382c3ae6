"""What a role or database sets for its sessions changes nothing of what provision asks and reads."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Small

SETTINGS = {
    "datestyle": "'German, DMY'",
    "datestyle, sql": "'SQL, DMY'",
    "intervalstyle": "'sql_standard'",
    "timezone": "'Pacific/Chatham'",
    "bytea_output": "'escape'",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-15",
    "search_path": "elsewhere",
    "client_encoding": "'LATIN1'",
    "lc_messages": "'C'",
    "quote_all_identifiers": "on",
    "xmloption": "document",
    "default_transaction_isolation": "serializable",
    "plan_cache_mode": "force_generic_plan",
    "row_security": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "escape_string_warning": "on",
}
CHECKS = """\
checks:
  - name: effects-there
    table: public.effects
    sql: "step is not null"
"""


@pytest.mark.parametrize("name", SETTINGS)
def test_every_command_works(tmp_path: Path, postgres: str, rows: Rows, name: str) -> None:
    database = urlsplit(postgres).path.removeprefix("/")
    setting = f"{name.partition(',')[0]} = {SETTINGS[name]}"
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute("create schema elsewhere")
        owner.execute(f"alter database {database} set {setting}".encode())
        owner.execute(f"alter role postgres in database {database} set {setting}".encode())
    made = Small(tmp_path, {"postgres": postgres})
    made.revisions(
        'op.execute("create table effects (step text, at timestamptz)")',
        "op.execute(\"insert into effects values ('ä é', '2026-03-02 09:14:05+00')\")",
        'with op.get_context().autocommit_block():\n    op.execute("create index concurrently on effects (step)")',
    )

    commands = [
        ("up",), ("up",), ("status",), ("history",), ("lock", "show"), ("doctor",),
        ("down", "postgres/0001", "--allow-destructive"), ("up",),
    ]  # fmt: skip
    for command in commands:
        ended = made.run(*command)
        assert ended.code in ((0, 1) if command == ("doctor",) else (0,)), (command, ended)
    where = "elsewhere" if name == "search_path" else "public"
    assert rows(f"select step from {where}.effects") == [("ä é",)] * 2
