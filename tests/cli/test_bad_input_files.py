"""Every migration file is read, and everything wrong with any of them is told, before any server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import NOWHERE, document, edit, refused, revision, script, untouched
from tests.servers.command_line import Provision

STREAM = 'up:\n  - create_stream: {name: "small:x", group: readers, maxlen: 10, owner: web}\ndown: auto\n'


@pytest.fixture
def told(files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> Provision:
    """`up` for servers that are not there: whoever asks one fails with 4, and with other words."""
    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url)

    def ran(*words: object) -> object:
        with untouched(files):
            return provision(*(words or ("up", "-e", "test")))

    return ran  # type: ignore[return-value]


def test_two_heads(files: Path, told: Provision) -> None:
    revision(files, "0004", "0002")
    refused(
        told(),
        2,
        """\
error[two-heads]: postgres has 2 heads: postgres/0003, postgres/0004
  where  alembic/versions/0003_order_notes.py, alembic/versions/0004_written.py
  fix    merge them (`alembic merge heads`), or set heads = "many" for postgres in provision.toml
""",
    )


def test_missing_parent(files: Path, told: Provision) -> None:
    (files / "alembic" / "versions" / "0002_orders.py").unlink()
    refused(
        told(),
        2,
        """\
error[missing-parent]: postgres/0003_order_notes follows postgres/0002, which does not exist
  where  alembic/versions/0003_order_notes.py
  fix    restore the file of postgres/0002, or correct what postgres/0003 follows
error[missing-requirement]: clickhouse/002_event_counts requires postgres/0002, which does not exist
  where  clickhouse/002_event_counts.sql
  fix    did you mean redis/0002?
""",
    )


def test_missing_requirements_are_all_named(files: Path, told: Provision) -> None:
    script(files, "003_more", "-- requires: postgres/0009, redis/1\nSELECT 1;\n")
    document(files, "0003_more", f"requires: [clickhouse/9, mongo/0001, backfil/x]\n{STREAM}")
    refused(
        told(),
        2,
        """\
error[missing-requirement]: clickhouse/003_more requires postgres/0009, which does not exist
  where  clickhouse/003_more.sql
  fix    write the id (store/number) of a revision that exists
error[missing-requirement]: clickhouse/003_more requires redis/1, which does not exist
  where  clickhouse/003_more.sql
  fix    did you mean redis/0001?
error[missing-requirement]: redis/0003_more requires clickhouse/9, which does not exist
  where  redis/0003_more.yaml
  fix    write the id (store/number) of a revision that exists
error[missing-requirement]: redis/0003_more requires mongo/0001, which does not exist
  where  redis/0003_more.yaml
  fix    did you mean postgres/0001?
error[missing-requirement]: redis/0003_more requires backfil/x, which does not exist
  where  redis/0003_more.yaml
  fix    write the id (store/number) of a revision that exists
""",
    )


def test_cycle_across_stores(files: Path, told: Provision) -> None:
    edit(files / "clickhouse" / "001_events.sql", "-- desc", "-- requires: redis/0002\n-- desc")
    refused(
        told(),
        2,
        """\
error[cycle]: revisions require each other: clickhouse/001 → redis/0002 → clickhouse/001
  where  clickhouse/001_events.sql, redis/0002_second_reader.yaml
  fix    remove one `requires`, or split the revision that needs both sides
""",
    )


def test_cycle_within_a_store(files: Path, told: Provision) -> None:
    edit(files / "alembic" / "versions" / "0001_accounts.py", "down_revision = None", 'down_revision = "0003"')
    refused(
        told(),
        2,
        """\
error[cycle]: revisions require each other: postgres/0001 → postgres/0003 → postgres/0002 → postgres/0001
  where  alembic/versions/0001_accounts.py, alembic/versions/0003_order_notes.py, alembic/versions/0002_orders.py
  fix    correct what one of them follows or requires
""",
    )


def test_revision_that_requires_itself(files: Path, told: Provision) -> None:
    edit(files / "redis" / "0001_sign_ins.yaml", "\nup:", "\nrequires: [redis/0001]\nup:")
    refused(
        told(),
        2,
        """\
error[cycle]: revisions require each other: redis/0001 → redis/0001
  where  redis/0001_sign_ins.yaml
  fix    correct what one of them follows or requires
""",
    )


def test_duplicate_ids_of_alembic(files: Path, told: Provision) -> None:
    revision(files, "0003", "0002")
    refused(
        told(),
        2,
        """\
error[duplicate-id]: 2 files are postgres/0003
  where  alembic/versions/0003_order_notes.py, alembic/versions/0003_written.py
  fix    give one of them the next free number
""",
    )


def test_duplicate_ids_of_numbered_files(files: Path, told: Provision) -> None:
    """Numbers count, not the zeros before them: `1_again.sql` is a second 001."""
    script(files, "1_again", "SELECT 1;\n")
    document(files, "02_again", STREAM)
    refused(
        told(),
        2,
        """\
error[duplicate-id]: 2 files are version 1 of clickhouse
  where  clickhouse/001_events.sql, clickhouse/1_again.sql
  fix    give one of them the next free number
error[duplicate-id]: 2 files have the number 2
  where  redis/02_again.yaml, redis/0002_second_reader.yaml
  fix    give one of them the next free number
""",
    )


def test_files_that_are_not_utf_8(files: Path, told: Provision) -> None:
    latin = "-- Grüße\nSELECT 1;\n".encode("latin-1")
    (files / "clickhouse" / "003_more.sql").write_bytes(latin)
    (files / "clickhouse" / "002_event_counts.down.sql").write_bytes(latin)
    (files / "alembic" / "versions" / "0004_more.py").write_bytes(b"# " + latin)
    (files / "redis" / "0003_more.yaml").write_bytes(b"# " + latin)
    refused(
        told(),
        2,
        """\
error[not-utf8]: 0004_more.py is not UTF-8: byte 0xfc at offset 7
  where  alembic/versions/0004_more.py
  fix    save the file as UTF-8
error[not-utf8]: 002_event_counts.down.sql is not UTF-8: byte 0xfc at offset 5
  where  clickhouse/002_event_counts.down.sql
  fix    save the file as UTF-8
error[not-utf8]: 003_more.sql is not UTF-8: byte 0xfc at offset 5
  where  clickhouse/003_more.sql
  fix    save the file as UTF-8
error[not-utf8]: 0003_more.yaml is not UTF-8: byte 0xfc at offset 7
  where  redis/0003_more.yaml
  fix    save the file as UTF-8
""",
    )


def test_empty_migrations(files: Path, told: Provision) -> None:
    (files / "alembic" / "versions" / "0004_more.py").write_text("\n")
    script(files, "003_more", "")
    script(files, "004_more", "-- nothing yet\n/* nor\nhere */ ;\n")
    document(files, "0003_more", "")
    document(files, "0004_more", "up: []\ndown: auto\n")
    document(files, "0005_more", "up:\n# nothing yet\ndown: auto\n")
    refused(
        told(),
        2,
        """\
error[empty-migration]: 0004_more.py is empty
  where  alembic/versions/0004_more.py
  fix    write the revision or delete it
error[empty-migration]: 003_more.sql is empty
  where  clickhouse/003_more.sql
  fix    write its SQL or delete it
error[empty-migration]: the file holds no operations
  where  redis/0003_more.yaml
  fix    write its `up` and `down`, or delete the file
""",
    )


def test_yaml_with_unknown_keys(files: Path, told: Provision) -> None:
    document(files, "0003_more", f"descripton: Odd\n{STREAM}")
    document(files, "0004_more", STREAM.replace("create_stream", "create_strem"))
    document(files, "0005_more", STREAM.replace("maxlen", "max_len"))
    document(files, "0006_more", STREAM.replace("maxlen: 10", "maxlen: ten"))
    document(files, "0007_more", STREAM.replace("down: auto", "down: atuo"))
    refused(
        told(),
        2,
        """\
error[document-invalid]: the file has no key descripton
  where  redis/0003_more.yaml:1:1
  fix    did you mean description?
error[document-invalid]: up[1] has no operation create_strem
  where  redis/0004_more.yaml:2:5
  fix    did you mean create_stream?
error[document-invalid]: create_stream lacks maxlen
  where  redis/0005_more.yaml:2:5
  fix    add `maxlen:`, a whole number, about how many entries its writers keep (XADD … MAXLEN ~)
error[document-invalid]: create_stream has no key max_len
  where  redis/0005_more.yaml:2:54
  fix    did you mean maxlen?
error[document-invalid]: create_stream.maxlen is ten
  where  redis/0006_more.yaml:2:54
  fix    write a whole number, about how many entries its writers keep (XADD … MAXLEN ~)
error[document-invalid]: down is atuo
  where  redis/0007_more.yaml:3:1
  fix    did you mean auto?
""",
    )


def test_yaml_that_cannot_be_read(files: Path, told: Provision) -> None:
    document(files, "0003_more", "up:\n\t- x\n")
    document(files, "0004_more", "up: [\n")
    document(files, "0005_more", "- up\n")
    document(files, "0006_more", "up: &a [*a]\ndown: auto\n")
    document(files, "0007_more", f"{STREAM}down: auto\n")
    refused(
        told(),
        2,
        """\
error[bad-yaml]: the line is indented with a tab
  where  redis/0003_more.yaml:2:1
  fix    indent with spaces
error[bad-yaml]: not YAML: did not find expected node content while parsing a flow node
  where  redis/0004_more.yaml:2:1
  fix    correct the line
error[document-invalid]: the file is not a mapping of keys
  where  redis/0005_more.yaml:1:1
  fix    begin it with the keys description, up and down
error[document-invalid]: an alias makes the file endless
  where  redis/0006_more.yaml:1:5
  fix    write the value out
error[document-invalid]: down is given twice, first on line 3
  where  redis/0007_more.yaml:4:1
  fix    keep one of them
""",
    )


def test_file_names(files: Path, told: Provision) -> None:
    script(files, "more", "SELECT 1;\n")
    script(files, "003_lost.down", "SELECT 1;\n")
    document(files, "later", STREAM)
    (files / "redis" / "0003_more.yml").write_text(STREAM)
    refused(
        told(),
        2,
        """\
error[bad-filename]: more.sql does not start with a number and an underscore
  where  clickhouse/more.sql
  fix    rename it like 001_more.sql
error[orphan-down]: 003_lost.down.sql has no 003_lost.sql
  where  clickhouse/003_lost.down.sql
  fix    write 003_lost.sql, or delete the down file
error[bad-filename]: 0003_more.yml ends in .yml
  where  redis/0003_more.yml
  fix    rename it to 0003_more.yaml
error[bad-filename]: later.yaml does not start with a number and an underscore
  where  redis/later.yaml
  fix    rename it like 001_later.yaml
""",
    )


def test_python_that_cannot_be_read(files: Path, told: Provision) -> None:
    versions = files / "alembic" / "versions"
    (versions / "0004_more.py").write_text('revision = "0004\n')
    (versions / "0005_more.py").write_text("x = 1\n")
    (versions / "0006_more.py").write_bytes(b"\0")
    refused(
        told(),
        2,
        """\
error[bad-header]: 0004_more.py is not Python: unterminated string literal (detected at line 1)
  where  alembic/versions/0004_more.py:1
  fix    correct the line
error[bad-header]: 0005_more.py sets no `revision`
  where  alembic/versions/0005_more.py
  fix    add revision = "…" at the top
error[bad-header]: 0006_more.py is not Python: source code string cannot contain null bytes
  where  alembic/versions/0006_more.py:1
  fix    correct the line
""",
    )


def test_python_that_cannot_be_imported(files: Path, told: Provision) -> None:
    """A computed header is left to Alembic, which imports every file."""
    revision(files, "0004", "0003", head="requires = tuple(nothing)")
    refused(
        told(),
        2,
        """\
error[alembic-refused]: a revision file cannot be imported: NameError: name 'nothing' is not defined
  where  alembic/versions/0004_written.py:7
  fix    correct the line
""",
    )


def test_revision_requires_its_own_store(files: Path, told: Provision) -> None:
    revision(files, "0004", "0003", head='requires = ["postgres/0001"]')
    refused(
        told(),
        2,
        """\
error[bad-header]: alembic/versions/0004_written.py requires postgres/0001 of its own store, which Alembic would not see
  where  alembic/versions/0004_written.py
  fix    write depends_on = "0001" instead
""",
    )


def test_no_folder_is_no_revision(files: Path, told: Provision) -> None:
    edit(files / "provision.toml", "[stores.redis]", '[stores.redis]\npath = "reddis"')
    refused(
        told(),
        2,
        """\
error[missing-folder]: the folder of redis does not exist: reddis
  where  PROJECT/provision.toml, [stores.redis] path
  fix    correct the path, or make the folder: `provision store add redis`
""",
    )


SHARED = """\
error[shared-folder]: postgres and orders share the folder alembic, and {unsaid} no path
  where  PROJECT/provision.toml, [stores.orders]
  fix    write path = "orders" there, and make the folder: `provision store add orders`; or write path for each of \
them, if they are meant to share it
"""


@pytest.mark.parametrize(("kept", "unsaid"), [("", "postgres and orders have"), ('path = "alembic"\n', "orders has")])
def test_two_stores_share_no_folder_by_accident(files: Path, told: Provision, kept: str, unsaid: str) -> None:
    edit(files / "provision.toml", 'path = "alembic"\n', kept)
    edit(files / "provision.toml", "[stores.clickhouse]", '[stores.orders]\nkind = "postgres"\n[stores.clickhouse]')

    refused(told(), 2, SHARED.format(unsaid=unsaid))


def test_two_stores_that_say_so_share_a_folder(files: Path, told: Provision) -> None:
    shared = '[stores.orders]\nkind = "postgres"\npath = "./alembic"\n[stores.clickhouse]'
    edit(files / "provision.toml", "[stores.clickhouse]", shared)

    assert "shared-folder" not in told().err
