"""`graph --schema` on a real database, with names that no drawing program takes as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.servers.command_line import Provision

TOML = """
[project]
name = "odd"
home = "postgres"
[stores.postgres]
[environments.live]
postgres.url = "{url}"
"""
MADE = '''
create table customers (id bigint primary key, "E-Mail ""x""" varchar(20) unique, tags text[]);
create schema "Other one";
create table "Other one"."select" ("from" bigint not null references customers, at timestamptz, primary key ("from"));
create table "Ünïcode <b>" (id int, boss bigint references customers, "1st" numeric(9, 2));
create table empty ();
create table parts (at date, customer bigint not null references customers) partition by range (at);
create table parts_one partition of parts for values from ('2026-01-01') to ('2026-02-01')
'''
# As Mermaid's grammar of entity diagrams has them.
ENTITY = re.compile(r'  [A-Za-z_]\w*\["[^"]*"\] \{')
COLUMN = re.compile(r'    [A-Za-z]\w* [A-Za-z]\w*(?: (?:PK|FK|UK)(?:, (?:PK|FK|UK))*)?(?: "[^"]*")?')
LINE = re.compile(r'  \w+ (?:\|o|\|\|)--(?:o\||o\{) \w+ : "[^"]*"')


@pytest.fixture
def odd(tmp_path: Path, postgres_18: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    url = urlsplit(postgres_18)._replace(path="/odd_names").geturl()
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute("drop database if exists odd_names")
        connection.execute("create database odd_names")
        with psycopg.connect(url, autocommit=True) as made:
            made.execute(MADE.encode())
        (tmp_path / "provision.toml").write_text(TOML.format(url=url))
        (tmp_path / "alembic" / "versions").mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        yield tmp_path
        connection.execute("drop database odd_names with (force)")


@pytest.mark.usefixtures("odd")
def test_every_table_and_foreign_key_is_drawn_and_partitions_are_not(provision: Provision) -> None:
    told = json.loads(provision("graph", "--schema", "--env", "live", "--output", "json").out)
    drawn = told["stores"]["postgres"]
    names = [each["name"] for each in drawn["tables"]]
    assert sorted(names) == ["Other one.select", "customers", "empty", "parts", "Ünïcode <b>"]
    assert [(each["child"], each["parent"], each["optional"], each["single"]) for each in drawn["references"]] == [
        ("Other one.select", "customers", False, True),
        ("parts", "customers", False, False),
        ("Ünïcode <b>", "customers", True, False),
    ]
    [customers] = [each for each in drawn["tables"] if each["name"] == "customers"]
    assert customers["columns"][:2] == [
        {"name": "id", "type": "bigint", "required": True, "marks": ["PK"]},
        {"name": 'E-Mail "x"', "type": "character varying(20)", "required": False, "marks": ["UK"]},
    ]


@pytest.mark.usefixtures("odd")
def test_mermaid_has_names_that_its_grammar_takes_with_the_real_ones_beside(provision: Provision) -> None:
    ran = provision("graph", "--schema", "--env", "live", "--format", "mermaid")
    first, *lines = ran.out.splitlines()
    assert (ran.code, first) == (0, "erDiagram")
    strange = [
        line for line in lines if line != "  }" and not any(each.fullmatch(line) for each in (ENTITY, COLUMN, LINE))
    ]
    assert strange == []
    assert "    character_varying_20 E_Mail_x UK \"E-Mail 'x', character varying(20)\"" in lines
    assert '  customers ||--o| Other_20_one_2e_select : "select_from_fkey"' in lines


@pytest.mark.usefixtures("odd")
def test_dot_escapes_what_is_not_its_own(provision: Provision) -> None:
    ran = provision("graph", "--schema", "--env", "live", "--format", "dot")
    assert ran.code == 0
    assert "<b>Ünïcode &lt;b&gt;</b>" in ran.out
    assert '"postgres/Ünïcode <b>" -> "postgres/customers" [label="Ünïcode <b>_boss_fkey", style=dashed]' in ran.out
    assert (ran.out.count("{"), ran.out.count("\n}")) == (2, 1)


@pytest.mark.usefixtures("odd")
def test_text_names_types_keys_and_what_is_referred_to(provision: Provision) -> None:
    out = provision("graph", "--schema", "--env", "live").out
    assert "    Other one.select\n      from  bigint not null PK FK\n      at    timestamp with time zone\n" in out
    assert "      → customers  select_from_fkey\n" in out
