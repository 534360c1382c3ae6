"""`lint` over a project: places in revision files, files as such, levels, what a branch changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.command_line import Provision

INDEX = (
    'op.execute("""\n        -- of the orders\n        CREATE INDEX by_user\n            ON orders (user_id)\n    """)'
)


def document(provision: Provision, *arguments: str) -> dict[str, Any]:
    ran = provision("lint", "-o", "json", *arguments)
    found: dict[str, Any] = json.loads(ran.out)
    assert found["exit"] == ran.code
    return found


def places(provision: Provision, *arguments: str) -> list[tuple[str, str, int]]:
    found = document(provision, *arguments)["findings"]
    return [(each["rule"], Path(each["file"]).name, each["line"]) for each in found]


def test_finding_is_in_the_file_of_the_revision_on_the_line_of_its_sql(
    revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    revision("0002", INDEX)
    ran = provision("lint", "-o", "json")
    assert json.loads(ran.out) == {
        "findings": [
            {
                "rule": "index-not-concurrent",
                "severity": "error",
                "store": "postgres",
                "file": "alembic/versions/0002_r.py",
                "line": 10,
                "column": 9,
                "object": "by_user",
                "message": "CREATE INDEX on orders blocks every write to it until the index is built (SHARE lock)",
                "fix": "CREATE INDEX CONCURRENTLY, outside of a transaction (op.get_context().autocommit_block())",
            }
        ],
        "files": 2,
        "not_rendered": [],
        "exit": 1,
    }
    assert ran.err == ""


def test_sql_that_alembic_makes_is_found_at_its_call(revision: Callable[..., Path], provision: Provision) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    revision("0002", 'op.create_index("by_user", "orders", ["user_id"])')
    assert places(provision) == [("index-not-concurrent", "0002_r.py", 8)]


def test_concurrently_in_an_autocommit_block_is_right_and_outside_of_one_is_not(
    revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE t (a int)")')
    create = 'op.execute("CREATE INDEX CONCURRENTLY i ON t (a)")'
    revision("0002", f"with op.get_context().autocommit_block():\n        {create}")
    assert places(provision) == []
    revision("0002", create)
    assert places(provision) == [("concurrently-in-transaction", "0002_r.py", 8)]


def test_revision_that_needs_a_database_is_told_and_the_others_are_read(
    revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    revision("0002", "op.get_bind().execute('x').scalar()")
    revision("0003", INDEX)
    found = document(provision)
    assert found["not_rendered"] == ["alembic/versions/0002_r.py"]
    rules = [(each["rule"], each["severity"], each["file"][-9:]) for each in found["findings"]]
    assert rules == [("not-rendered", "warning", "0002_r.py"), ("index-not-concurrent", "error", "0003_r.py")]


def test_comment_with_a_reason_allows_and_one_without_does_not(
    revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    revision("0002", f"# lint: allow index-not-concurrent: ten rows\n    {INDEX}")
    assert places(provision) == []
    revision("0002", f"# lint: allow index-not-concurrent\n    {INDEX}")
    assert places(provision) == [
        ("suppression-without-reason", "0002_r.py", 8),
        ("index-not-concurrent", "0002_r.py", 11),
    ]
    revision("0002", "# lint: allow index-not-concurrent: ten rows\n    op.execute('select 1')")
    assert places(provision) == [("suppression-unused", "0002_r.py", 8)]
    revision("0002", "# lint: allow index-not-concurent: ten rows\n    op.execute('select 1')")
    assert places(provision) == [("suppression-unknown-rule", "0002_r.py", 8)]


@pytest.mark.parametrize(
    "call",
    [
        'op.execute(  # lint: allow index-not-concurrent: ten rows\n        "CREATE INDEX i ON orders (user_id)")',
        "op.execute(\n        # lint: allow index-not-concurrent: ten rows\n"
        '        "CREATE INDEX i ON orders (user_id)")',
        'op.execute(\n        "CREATE INDEX i "  # lint: allow index-not-concurrent: ten rows\n'
        '        "ON orders (user_id)"\n    )',
        'op.execute(\n        "CREATE INDEX i "\n        "ON orders (user_id)"\n'
        "    )  # lint: allow index-not-concurrent: ten rows",
        'op.execute("""\n    CREATE INDEX i\n    -- lint: allow index-not-concurrent: ten rows\n'
        '    ON orders (user_id)""")',
        'op.create_index(\n        "i",\n        # lint: allow index-not-concurrent: ten rows\n'
        '        "orders",\n        ["user_id"],\n    )',
        'with op.batch_alter_table(  # lint: allow index-not-concurrent: ten rows\n        "orders",\n    ) as each:\n'
        '        each.create_index("i", ["user_id"])',
        "op.execute(SQL)  # lint: allow index-not-concurrent: ten rows",
    ],
)
def test_comment_inside_a_call_allows_what_the_call_sends(
    call: str, revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    other = '\n    op.execute("CREATE INDEX j ON orders (id, user_id)")'
    path = revision("0002", call + other, head='SQL = "CREATE INDEX i ON orders (user_id)"')
    last = path.read_text().split("\n").index(other.strip("\n")) + 1
    found = [each for each in places(provision) if each[0] != "redundant-index"]
    assert found == [("index-not-concurrent", "0002_r.py", last)]


def test_comment_in_a_text_of_two_statements_allows_one_of_them(
    revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    allow = "-- lint: allow index-not-concurrent: ten rows"
    text = f"CREATE INDEX i\n    {allow}\n    ON orders (user_id);\n    CREATE INDEX j ON orders (id, user_id)"
    revision("0002", f'op.execute("""\n    {text}""")')
    assert places(provision) == [("index-not-concurrent", "0002_r.py", 12)]


def test_file_without_a_way_down_or_that_loses_without_saying_so(
    revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE t (a int, b int)")', down="pass")
    revision("0002", 'op.execute("ALTER TABLE t DROP COLUMN b")', down='raise NotImplementedError("b is gone")')
    assert places(provision) == [("missing-down", "0001_r.py", 1), ("destructive-not-declared", "0002_r.py", 1)]
    revision("0002", 'op.execute("ALTER TABLE t DROP COLUMN b")', head="destructive = True")
    assert places(provision) == [("missing-down", "0001_r.py", 1)]


def test_two_heads_are_a_finding(revision: Callable[..., Path], provision: Provision) -> None:
    revision("0001", 'op.execute("select 1")')
    revision("0002", 'op.execute("select 1")', after="0001")
    revision("0003", 'op.execute("select 1")', after="0001")
    assert [each[0] for each in places(provision)] == ["two-heads"]


def test_levels_are_those_of_the_environment(
    project: Path, revision: Callable[..., Path], provision: Provision
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    revision("0002", INDEX)
    toml = project / "provision.toml"
    text = toml.read_text() + '[lint]\nindex-not-concurrent = "warning"\n[environments.strict.lint]\n'
    toml.write_text(text + 'index-not-concurrent = "off"\n')
    assert [each["severity"] for each in document(provision)["findings"]] == ["warning"]
    assert document(provision)["exit"] == 0
    assert places(provision, "--env", "strict") == []
    toml.write_text(text + 'index-not-concurent = "off"\n')
    refused = provision("lint", "--env", "strict")
    assert (refused.code, refused.err.split("\n")[2]) == (2, "  fix    did you mean 'index-not-concurrent'?")
    toml.write_text(text + 'index-not-concurrent = "loud"\n')
    assert 'is \'loud\', not "off", "warning" or "error"' in provision("lint").err


def test_only_what_a_branch_changed_is_shown_and_an_edited_file_is_told(
    revision: Callable[..., Path], provision: Provision, git: Callable[..., None]
) -> None:
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    revision("0002", INDEX)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "one")
    assert places(provision, "--changed-since", "main") == []
    revision("0003", 'op.execute("CREATE INDEX other ON orders (id, user_id)")')
    assert places(provision, "--changed-since", "main") == [("index-not-concurrent", "0003_r.py", 8)]
    path = revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id bigint)")')
    expected = [("edited-applied", "0001_r.py", 1), ("index-not-concurrent", "0003_r.py", 8)]
    assert places(provision, "--changed-since", "main") == expected
    revision("0001", 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int)")')
    path.write_text(path.read_text().replace("def upgrade", "# a comment\ndef upgrade"))
    assert places(provision, "--changed-since", "main") == expected[1:]
    refused = provision("lint", "--changed-since", "nowhere")
    assert (refused.code, refused.err.split(":")[0]) == (2, "error[bad-reference]")
