"""What a revision locks is read from its SQL: by name, in the mode that the server takes."""

from __future__ import annotations

import pytest

from provision.stores.postgres.migrate.table_locks import MODES, needs

KEY, ALL, INDEX, VALIDATE = "share row exclusive", "access exclusive", "share", "share update exclusive"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alter table a add x int", {'"a"': ALL}),
        ('ALTER TABLE IF EXISTS ONLY s."A" ADD x int', {'"s"."A"': ALL}),
        ("alter table a add constraint k foreign key (x) references s.p (id)", {'"s"."p"': KEY, '"a"': KEY}),
        ("alter table a add x int, add foreign key (x) references p", {'"p"': KEY, '"a"': ALL}),
        ("alter table a validate constraint c", {'"a"': VALIDATE}),
        ("create table k (id int references a, y int references b)", {'"a"': KEY, '"b"': KEY}),
        ("drop table if exists a, b cascade", {'"a"': ALL, '"b"': ALL}),
        ("truncate table a, b", {'"a"': ALL, '"b"': ALL}),
        ("create unique index i on only a (x); drop index j", {'"a"': INDEX, '"j"': ALL}),
        ("create index concurrently i on a (x)", {}),
        ("create trigger t after insert on a for each row execute function f()", {'"a"': KEY}),
        ("BEGIN; alter table a add x int; COMMIT; alter table b add x int", {'"a"': ALL}),
        ("alter table a add x int; update a set x = 1; alter table b add x int", {'"a"': ALL}),
        ("alter table a add x int; INSERT INTO alembic_version VALUES ('1'); drop table b", {'"a"': ALL, '"b"': ALL}),
        ("comment on table a is 'alter table b'; -- drop table c", {}),
    ],
)
def test_tables_of_a_revision(text: str, expected: dict[str, str]) -> None:
    assert {each.name: MODES[each.mode] for each in needs(text, "alembic_version")} == expected


@pytest.mark.parametrize(
    ("text", "drops"),
    [
        ("alter table a drop column if exists x, drop constraint k", ("x", "k")),
        ("alter table a add x int", None),
        ("drop table a", ()),
    ],
)
def test_what_goes_is_read_for_the_keys_that_go_with_it(text: str, drops: tuple[str, ...] | None) -> None:
    [need] = needs(text, "alembic_version")

    assert need.drops == drops
