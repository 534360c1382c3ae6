"""INDEX inside CREATE TABLE, as MySQL writes it."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    for each in unit.body.inline:
        what = f"the index {each.name} stands inside CREATE TABLE, where PostgreSQL reads a column called index"
        yield Hit(unit, what, f"write it after the table: CREATE INDEX {each.name} ON …", each.name, each.at)


RULE = Rule("inline-index", Severity.ERROR, "An index inside CREATE TABLE", check)
