"""Suites that are written: from what a table holds, which then passes on it, and from a dbt schema.yml."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.documents.yaml import parse
from provision.validate import dbt
from tests.validate.platform import Platform

MADE = {
    "postgres": """create table "Odd ones" (id int primary key, "Wéird name" text, share real, size numeric(12,3),
        at timestamptz, tags text[], about jsonb, gap int, endless float8);
        insert into "Odd ones" select n, (array['BUY', 'SELL'])[1 + n % 2], n / 301.0, -n, now() - n * interval '1 h',
        '{a}', '{}', nullif(n % 3, 0), case n when 7 then 'NaN'::float8 else n end from generate_series(1, 300) n""",
    "clickhouse": """create table `Odd ones` (id Int32, `Wéird name` LowCardinality(String), share Float32,
        size Decimal(12,3), at DateTime64(3, 'UTC'), tags Array(String), gap Nullable(Int32), endless Float64)
        engine = MergeTree order by id;
        insert into `Odd ones` select number + 1, ['BUY', 'SELL'][1 + number % 2], number / 301, -number,
        now() - number * 3600, ['a'], nullIf(number % 3, 0), if(number = 7, nan, number) from numbers(300)""",
}


@pytest.mark.parametrize("store", ["postgres", "clickhouse"])
def test_suggested_suite_passes_on_what_it_was_made_from(platform: Platform, store: str) -> None:
    send = platform.sql if store == "postgres" else platform.ch
    for statement in MADE[store].split(";"):
        send(statement)
    path = platform.folder / "checks" / "odd.yaml"
    try:
        written = platform.run("validate", "suggest", "Odd ones", "--store", store, "--to", path)
        again = platform.run("validate", "suggest", "Odd ones", "--store", store, "--to", path)
        ran = platform.validate("odd")
    finally:
        send('drop table "Odd ones"')

    assert (written.code, written.err) == (0, "")
    assert (again.code, "error[suite-exists]" in again.err) == (2, True)
    assert (ran.code, ran.found) == (0, {}), ran.out
    kinds = {each["kind"] for each in ran.json["results"]}
    assert kinds == {"min_rows", "columns", "not_null", "range", "accepted_values", "unique"}
    text = path.read_text(encoding="utf-8")
    assert '"values": ["BUY", "SELL"]' in text
    assert '{"column": "share", "min": 0, "max": 1' in text
    assert "endless_out_of_range" not in text  # NaN is in it
    assert "gap_out_of_range" in text


@pytest.mark.parametrize("store", ["postgres", "clickhouse"])
def test_columns_with_names_of_one_letter_are_columns(platform: Platform, store: str, tmp_path: Path) -> None:
    """ClickHouse takes an alias of a query for a column of that name."""
    send = platform.sql if store == "postgres" else platform.ch
    engine = "" if store == "postgres" else " engine = MergeTree order by a"
    send(f"create table letters (a int, b int, c int, d int, e int, f int, n int, v int){engine}")
    send("insert into letters values (1, 1, 1, 1, 1, 1, 1, 1), (2, 2, 2, 2, 2, 2, 1, 2)")
    path = tmp_path / "checks" / "letters.yaml"
    unique = f"store: {store}\ntable: letters\nchecks:\n  - {{name: one, unique: n}}\n"
    platform.suite("twice", unique + "  - {name: several, unique_combination: [n]}\n")
    try:
        written = platform.run("validate", "suggest", "letters", "--store", store, "--to", path)
        ran = platform.validate("twice")
    finally:
        send("drop table letters")

    assert (written.code, written.err) == (0, "")
    assert "n_out_of_range" in path.read_text(encoding="utf-8")
    assert {name: each["bad"] for name, each in ran.found.items()} == {"one": 2, "several": 2}


@pytest.mark.parametrize("table", ["trading_decisions", "ml_predictions", "users", "model_training_history"])
def test_suggested_suite_of_a_shipped_table_passes(platform: Platform, table: str) -> None:
    path = platform.folder / "checks" / "suggested.yaml"

    written = platform.run("validate", "suggest", table, "--to", path)
    ran = platform.validate("suggested")

    assert (written.code, ran.code, ran.found) == (0, 0, {}), (written.err, ran.out)


def test_table_that_is_not_there_is_refused(platform: Platform) -> None:
    ran = platform.run("validate", "suggest", "trading_decision")

    assert (ran.code, "did you mean trading_decisions?" in ran.err) == (2, True)


def test_table_without_columns_is_said_to_have_none(platform: Platform) -> None:
    platform.sql("create table bare ()")
    try:
        ran = platform.run("validate", "suggest", "bare")
    finally:
        platform.sql("drop table bare")

    assert (ran.code, "error[unknown-table]: postgres: bare has no columns" in ran.err) == (2, True)


DBT = """
version: 2
models:
  - name: users
    columns:
      - name: id
        data_tests:
          - unique
          - not_null
          - relationships: {to: ref('trading_decisions'), field: user_id}
      - name: email
        tests:
          - accepted_values: {values: [1, x], config: {severity: warn, tags: [nightly]}}
          - accepted_values: {arguments: {values: [1, 2], quote: false}}
          - dbt_utils.not_null_proportion: {at_least: 0.5}
          - dbt_utils.accepted_range: {min_value: 0, inclusive: false}
          - dbt_utils.accepted_range: {min_value: "now()"}
          - dbt_utils.expression_is_true: {expression: "<> ''"}
          - not_null: {where: "id is not null"}
          - dbt_expectations.expect_something: {of: it}
    tests:
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [tenant_id, id]}
      - dbt_utils.expression_is_true: {expression: "length(email) > 1", name: email is long}
      - dbt_utils.equal_rowcount: {compare_model: ref('users')}
      - my_own_test
sources:
  - name: app
    schema: public
    tables:
      - {name: tenants, columns: [{name: slug, tests: [not_null]}]}
"""


def test_dbt_tests_become_checks_and_the_others_are_listed() -> None:
    value, _ = parse(DBT, "schema.yml", keys="models")

    found = dbt.imported(value)

    bodies = [
        {key: each[key] for key in each if key not in ("name", "warn_if", "tags")} for each in found.tables["users"]
    ]
    assert bodies == [
        {"unique_combination": ["tenant_id", "id"]},
        {"bad": "coalesce(NOT (length(email) > 1), false)"},
        {"row_count_ratio": {"to": {"table": "users"}, "min": 1, "max": 1}},
        {"accepted_values": {"column": "email", "values": ["1", "x"], "allow_null": True}},
        {"accepted_values": {"column": "email", "values": [1, 2], "allow_null": True}},
        {"not_null_share": {"column": "email", "min": 0.5}},
        {"range": {"column": "email", "above": 0, "allow_null": True}},
        {"bad": "coalesce(NOT (email <> ''), false)"},
        {"unique": ["id"]},
        {"not_null": ["id"]},
        {"reference": {"column": ["id"], "to": {"table": "trading_decisions", "column": ["user_id"]}}},
    ]
    assert found.left == [
        "users my_own_test",
        "users.email dbt_utils.accepted_range",
        "users.email not_null with where",
        "users.email dbt_expectations.expect_something",
    ]
    assert list(found.tables) == ["users", "public.tenants"]
    [warns] = [each for each in found.tables["users"] if "warn_if" in each]
    assert (warns["tags"], warns["warn_if"]) == (["nightly"], {"count": 0})


def test_dbt_tables_are_those_that_the_file_names() -> None:
    text = """
models:
  - name: orders
    config: {alias: orders_v2}
    columns:
      - name: customer
        tests:
          - relationships: {to: "source('raw', 'customers')", field: id}
          - relationships: {to: "source('crm', 'people')", field: id}
          - relationships: {to: "source('elsewhere', 'customers')", field: id}
          - relationships: {to: "ref('shops', 'orders')", field: id}
  - {name: old, config: {enabled: false}, columns: [{name: id, tests: [unique, not_null]}]}
sources:
  - {name: raw, schema: landing, tables: [{name: customers, identifier: customers_7}]}
  - {name: crm, tables: [{name: people, columns: [{name: id, tests: [unique]}]}]}
"""
    value, _ = parse(text, "schema.yml", keys="models")

    found = dbt.imported(value)

    assert list(found.tables) == ["orders_v2", "crm.people"]
    assert [each["reference"]["to"]["table"] for each in found.tables["orders_v2"]] == [
        *("landing.customers_7", "crm.people", "orders_v2")
    ]
    assert found.left == ["orders_v2.customer relationships", "old, which is not enabled"]


def test_imported_suite_runs(platform: Platform, tmp_path: Path) -> None:
    source = tmp_path / "schema.yml"
    source.write_text(
        "models:\n  - name: users\n    columns:\n      - {name: id, tests: [unique, not_null, other]}\n"
        "      - {name: tenant_id, tests: [{relationships: {to: ref('tenants'), field: slug}}]}\n",
        encoding="utf-8",
    )

    written = platform.run("validate", "import", "dbt", source, "--to", platform.folder / "checks" / "people.yaml")
    ran = platform.validate("people")

    lines = (platform.folder / "checks" / "people.yaml").read_text(encoding="utf-8").splitlines()
    schema = platform.folder / "docs" / "schemas" / "checks.json"
    assert lines[0].startswith("# yaml-language-server") == schema.exists()  # no line names a file that is not there
    assert (written.code, written.out) == (0, "")
    assert written.err == "3 tests taken over, 1 not\n  not taken over: users.id other\n"
    assert (ran.code, ran.found, len(ran.json["results"])) == (0, {}, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [("models: []\n", "nothing-to-check"), ("- a\n", "error["), ("models: [{name: a, tests: 7}]", "nothing-to-check")],
)
def test_file_without_tests_is_refused(platform: Platform, tmp_path: Path, text: str, said: str) -> None:
    source = tmp_path / "schema.yml"
    source.write_text(text, encoding="utf-8")

    ran = platform.run("validate", "import", "dbt", source)

    assert (ran.code, said in ran.err) == (2, True), ran
