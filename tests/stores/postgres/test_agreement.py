"""`alembic` and `provision` on the same folder and database agree, in any mix."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.expected import Expected
from tests.stores.postgres import environments
from tests.stores.postgres.projects import BIN, Project

TABLE = 'op.create_table("{0}", sa.Column("id", sa.Integer))'
DROP = 'op.drop_table("{0}")'


@pytest.fixture
def five(project: Project) -> Project:
    environments.written(project.root, environments.PLAIN)
    project.tables(5)
    return project


def heads(project: Project, table: str = "alembic_version") -> list[str]:
    return sorted(row[0] for row in project.rows(f"select version_num from {table}"))


def test_up_applied_by_alembic_is_adopted_and_not_run_again(five: Project) -> None:
    five.alembic("upgrade", "0003")

    ran = five.up()

    assert "recorded postgres/0003 as adopted (done by another tool)" in ran.out
    assert "2 applied in" in ran.out
    assert [kind for _, kind in five.events()] == ["adopted"] * 3 + ["applied"] * 2
    assert "0005 (head)" in five.alembic("current")


def test_up_reverted_by_alembic_is_recorded_and_applied_again(five: Project) -> None:
    five.up()
    five.alembic("downgrade", "-2")

    five.up()

    assert five.events()[5:] == [
        ("postgres/0004", "reverted"),
        ("postgres/0005", "reverted"),
        ("postgres/0004", "applied"),
        ("postgres/0005", "applied"),
    ]
    assert len(five.schema()) == 5


def test_alembic_goes_on_where_up_stopped_and_up_finds_nothing_to_do_but_record(five: Project) -> None:
    five.up("--steps", "2")
    five.alembic("upgrade", "+1")
    five.up("--steps", "1")
    five.alembic("upgrade", "head")

    ran = five.up()

    assert "recorded postgres/0005 as adopted" in ran.out
    assert [kind for _, kind in five.events()] == ["applied", "applied", "adopted", "applied", "adopted"]
    assert "nothing to do" in five.up().out


def test_down_of_what_alembic_applied_leaves_what_alembic_reads(five: Project) -> None:
    five.alembic("upgrade", "head")

    five.down("postgres/0002")

    assert heads(five) == ["0002"]
    assert "0002" in five.alembic("current")
    five.alembic("downgrade", "base")
    assert five.schema() == []


def test_stamp_by_alembic_is_adopted(five: Project) -> None:
    five.alembic("stamp", "head")

    five.up()

    assert [kind for _, kind in five.events()] == ["adopted"] * 5
    assert five.schema() == []


def test_version_table_literal_in_env_is_honoured(project: Project) -> None:
    text = environments.PLAIN.replace(
        "connection=connection", "connection=connection, version_table='moved', version_table_schema=\"kept\""
    )
    environments.written(project.root, text)
    with psycopg.connect(project.url) as connection:
        connection.execute("create schema kept")
    project.tables(3)
    project.alembic("upgrade", "0001")

    project.up()

    assert heads(project, "kept.moved") == ["0003"]
    assert [kind for _, kind in project.events()] == ["adopted", "applied", "applied"]


def test_version_table_none_and_a_comment_are_no_choice(project: Project) -> None:
    text = environments.PLAIN.replace("connection=connection", "connection=connection, version_table_schema=None")
    environments.written(project.root, "# version_table = computed()\n" + text)
    project.tables(1)

    project.up()

    assert heads(project) == ["0001"]


def test_version_table_named_by_a_constant_is_honoured(project: Project) -> None:
    text = environments.PLAIN.replace("connection=connection", "connection=connection, version_table=TABLE")
    environments.written(project.root, 'TABLE = "moved"\n' + text)
    project.tables(1)

    project.up()

    assert heads(project, "moved") == ["0001"]


def test_version_table_computed_is_refused_until_provision_toml_says_it(expected: Expected, project: Project) -> None:
    text = environments.PLAIN.replace("connection=connection", 'connection=connection, version_table="a" + "b"')
    environments.written(project.root, text)
    project.tables(1)

    ran = project.provision("up")

    assert ran.code == 2
    expected(ran.err)
    toml = project.root / "provision.toml"
    before = toml.read_text()
    toml.write_text(before.replace("[stores.postgres]", '[stores.postgres]\nversion_table = "ac"'))
    wrong = project.provision("up").err
    assert "error[wrong-version-table]: env.py sets version_table to 'ab', provision was told 'ac'" in wrong
    assert (
        """fix    write version_table = "ab" in provision.toml, or pass version_table='ac' to context.configure"""
        in wrong
    )
    toml.write_text(before.replace("[stores.postgres]", '[stores.postgres]\nversion_table = "ab"'))
    project.up()
    assert heads(project, "ab") == ["0001"]


def test_version_table_schema_that_comes_to_none_is_told_by_empty_quotes(project: Project) -> None:
    text = environments.PLAIN.replace("connection=connection", "connection=connection, version_table_schema='' or None")
    environments.written(project.root, text)
    project.tables(2)
    project.alembic("upgrade", "0001")
    toml = project.root / "provision.toml"
    before = toml.read_text()
    assert """fix    add version_table_schema = "…" to [stores.postgres]""" in project.provision("up").err
    toml.write_text(before.replace("[stores.postgres]", '[stores.postgres]\nversion_table_schema = "public"'))
    assert """fix    write version_table_schema = "" in provision.toml""" in project.provision("up").err
    toml.write_text(before.replace("[stores.postgres]", '[stores.postgres]\nversion_table_schema = ""'))

    project.up()

    assert heads(project) == ["0002"]
    assert [kind for _, kind in project.events()] == ["adopted", "applied"]


def test_version_locations_in_the_ini_are_read_through_alembic(project: Project) -> None:
    places = "%(here)s/alembic/one:%(here)s/alembic/two"
    ini = f"[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\nversion_locations = {places}\n"
    environments.written(project.root, environments.PLAIN, ini)
    project.write("0001", folder=project.versions.parent / "one")
    project.write("0002", folder=project.versions.parent / "two")

    project.up()

    assert heads(project) == ["0002"]
    assert [name for name, _ in project.events()] == ["postgres/0001", "postgres/0002"]


def test_version_locations_set_in_env_py_are_those_that_run(project: Project) -> None:
    chosen = "context.script.version_locations = ['alembic/one', 'alembic/two']\n"
    environments.written(project.root, environments.PLAIN.replace("with engine", f"{chosen}with engine"))
    project.write("0001", folder=project.versions.parent / "one")
    project.write("0002", folder=project.versions.parent / "two")

    assert "2 to apply" in project.done("plan").out
    project.up()

    assert heads(project) == ["0002"]
    assert "0002 (head)" in project.alembic("current")
    assert "nothing to do" in project.up().out


def test_computed_header_is_read_through_alembic(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    first = project.write("0001")
    project.write("0002")
    first.write_text(first.read_text().replace('revision = "0001"', 'revision = "00" + "01"'))

    project.up()

    assert heads(project) == ["0002"]


def test_branches_that_merge_are_applied_as_alembic_does(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    for name, parent in (("a1", None), ("b1", "a1"), ("b2", "a1"), ("m1", ("b1", "b2"))):
        project.write(name, TABLE.format(name), DROP.format(name), parent=parent)
    project.up("--steps", "2")
    assert heads(project) == ["b1"]

    project.up()

    assert heads(project) == ["m1"]
    assert sorted(name for name, _ in project.events()) == [f"postgres/{each}" for each in ("a1", "b1", "b2", "m1")]
    project.alembic("downgrade", "base")
    project.done("resolve", "postgres", "--reverted")
    project.up()
    assert heads(project) == ["m1"]


def test_labelled_branches_with_depends_on_agree_with_alembic(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    for name, fields in (
        ("main1", {"labels": ("main",)}),
        ("side1", {"parent": None, "labels": ("side",), "depends": "main1"}),
        ("main2", {"parent": "main1"}),
    ):
        project.write(name, TABLE.format(name), DROP.format(name), **fields)
    project.alembic("upgrade", "side@head")

    project.up()

    by_alembic = heads(project)
    assert [kind for _, kind in project.events()] == ["adopted", "adopted", "applied"]
    assert "nothing to do" in project.up().out
    project.alembic("upgrade", "heads")
    assert heads(project) == by_alembic
    project.down("--all")
    assert (heads(project), project.schema()) == ([], [])


def test_depends_on_a_label_is_resolved_by_alembic(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("abcdef01", labels=("main",))
    project.write("side1", parent=None, labels=("side",), depends="main")

    project.up()

    assert {name for name, _ in project.events()} == {"postgres/abcdef01", "postgres/side1"}


def test_many_heads_without_labels_need_the_key_and_move_with_it(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("a1")
    project.write("b1", parent=None)
    assert "error[two-heads]" in project.provision("up").err
    toml = project.root / "provision.toml"
    toml.write_text(toml.read_text().replace("[stores.postgres]", '[stores.postgres]\nheads = "many"'))

    project.up()

    assert heads(project) == ["a1", "b1"]


def test_several_statements_and_parameters_in_one_revision(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    up = """op.execute("create table a (x int, s text); create table b (x int); insert into a values (1, '100%')")
    op.execute(sa.text("insert into a values (:x, :s)").bindparams(x=2, s="it's 5%"))
    op.bulk_insert(sa.table("b", sa.column("x", sa.Integer)), [{"x": 1}, {"x": 2}])"""
    project.write("0001", up)

    project.up()

    assert project.rows("select * from a order by x") == [(1, "100%"), (2, "it's 5%")]
    assert project.rows("select count(*) from b") == [(2,)]


def test_requires_of_the_same_store_is_refused_because_alembic_would_not_see_it(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001")
    place = project.write("0002")
    place.write_text(place.read_text().replace("depends_on = None", 'requires = ["postgres/0001"]'))

    ran = project.provision("up")

    assert ran.code == 2
    assert 'fix    write depends_on = "0001" instead' in ran.err


@pytest.mark.parametrize("password", ["p%40ss%3Aw%2Fo%25rd", "%25%25s%20x"])
def test_password_with_special_characters_reaches_both_tools(
    password: str, five: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = five.url.replace("postgres@", f"postgres:{password}@")
    monkeypatch.setenv("PEERS_URL", url)

    ran = five.up()

    assert heads(five) == ["0005"]
    assert password not in ran.out + ran.err


def test_bare_alembic_in_this_checkout_takes_the_url_from_provision_toml(project: Project) -> None:
    checkout = Path(__file__).parents[3]
    for name in ("alembic", "alembic.ini"):
        source = checkout / name
        shutil.copytree(source, project.root / name) if source.is_dir() else shutil.copy(source, project.root)
    revisions = sorted(project.versions.glob("0*.py"))
    for place in revisions:  # of other stores' revisions none is here
        place.write_text("\n".join(line for line in place.read_text().split("\n") if not line.startswith("requires")))
    project.up()

    done = subprocess.run([BIN / "alembic", "current"], cwd=project.root, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.split()) == (0, [revisions[-1].name[:4], "(head)"]), done.stderr


ALL_SCHEMAS = environments.PLAIN.replace(
    "connection=connection",
    "connection=connection, include_schemas=True, target_metadata=MetaData()",
).replace("from sqlalchemy import", "from sqlalchemy import MetaData,")


def test_autogenerate_over_all_schemas_sees_the_tables_of_others_and_not_ours(project: Project) -> None:
    environments.initialised(project.root, "generic")
    (project.root / "alembic" / "env.py").write_text(ALL_SCHEMAS)
    project.tables(1)
    project.up()
    with psycopg.connect(project.url) as connection:
        connection.execute("create schema theirs create table orders (id int)")

    project.alembic("revision", "--autogenerate", "-m", "compared")

    [made] = project.versions.glob("*_compared.py")
    upgrade = made.read_text().split("def downgrade")[0]
    assert sorted(re.findall(r"drop_table\('(\w+)'", upgrade)) == ["orders", "t0001"]
    assert "provision" not in upgrade


def test_doctor_warns_where_alembic_is_too_old_to_leave_our_tables_out(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments.written(project.root, ALL_SCHEMAS)
    assert "include_schemas" not in project.provision("doctor").out

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name.endswith(".plugins") else found(name))
    said = project.provision("doctor").out
    assert "writes drop_table for provision's ledger" in said
    assert "leave the schema provision out with include_name" in said

    (project.root / "alembic" / "env.py").write_text(f"# hides the schema provision\n{ALL_SCHEMAS}")
    assert "include_schemas" not in project.provision("doctor").out
