"""Which tables a revision locks, read from its SQL, and in what mode."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from provision.stores.postgres.migrate.sql_tokens import SqlToken, split, statements

# In the order of their strength; those below keep nobody from writing rows.
MODES = ("share update exclusive", "share", "share row exclusive", "access exclusive")
_VALIDATE, _INDEX, _KEY, _ALL = range(len(MODES))
# What reads or writes rows may take long: no table is kept from others meanwhile that the revision needs only later.
_ROWS = frozenset(("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "WITH", "DO", "CALL", "VALUES", "EXECUTE"))
_ENDS = frozenset(("COMMIT", "END", "ROLLBACK", "ABORT"))


@dataclass(frozen=True, slots=True)
class Need:
    """A table, or an index of one, as the server finds it by name; `mode` is a place in MODES.

    `drops`: columns and constraints that go, whose foreign keys reach other tables; `()` for all, None for none.
    """

    name: str
    mode: int
    drops: tuple[str, ...] | None = None


def needs(text: str, version_table: str, *, whole: bool = False) -> tuple[Need, ...]:
    """What the first transaction of a revision locks, up to its first statement that reads or writes rows.

    `whole`: what any statement of it locks, those in autocommit blocks too.
    """
    found: list[Need] = []
    for tokens in statements(text):
        words = [each.word for each in tokens]
        if words[0] in _ENDS and not whole:
            break
        if any(each.value == version_table for each in tokens):
            continue
        if _ROWS.intersection(words[:1]) or (words[0] == "CREATE" and "SELECT" in words and "TABLE" in words[:4]):
            if whole:
                continue
            break
        if whole or "CONCURRENTLY" not in words:
            found += _of(tokens, words)
    return tuple(dict.fromkeys(found))


def every_need(text: str, version_table: str) -> tuple[Need, ...]:
    """What any statement of a text locks; CREATE INDEX CONCURRENTLY and its like in the weakest mode."""
    found: list[Need] = []
    for tokens in statements(text):
        words = [each.word for each in tokens]
        if not any(each.value == version_table for each in tokens):
            weak = "CONCURRENTLY" in words
            found += [replace(each, mode=_VALIDATE) if weak else each for each in _of(tokens, words)]
    return tuple(dict.fromkeys(found))


def question(listed: Sequence[Need]) -> str:
    """The query for what there is of them: name and mode of each table, in the order of their oids."""
    rows = ", ".join(f"({_quoted(each.name)}, {each.mode}, {_array(each.drops)})" for each in listed)
    return f"""
with need(name, mode, drops) as (values {rows}),
found as (
    select coalesce(i.indrelid, to_regclass(name)::oid) as oid, mode, drops
    from need left join pg_index i on i.indexrelid = to_regclass(name)::oid
),
ends as (
    select unnest(array[k.conrelid, k.confrelid]) as oid, {_ALL} as mode
    from found f join pg_constraint k on k.contype = 'f' and f.oid in (k.conrelid, k.confrelid)
    where f.drops = '{{}}' or k.conname = any(f.drops) or exists(
        select from pg_attribute a where a.attrelid = f.oid and a.attname = any(f.drops)
        and a.attnum = any(case when f.oid = k.conrelid then k.conkey else k.confkey end))
)
select quote_ident(n.nspname) || '.' || quote_ident(c.relname), max(mode)
from (select oid, mode from found union all select oid, mode from ends) every
join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'update, delete, truncate')
group by 1, c.oid order by c.oid
"""


def _of(tokens: list[SqlToken], words: list[str]) -> Iterator[Need]:
    for place, word in enumerate(words):
        if word == "REFERENCES":
            yield from _named(tokens, place + 1, _KEY)
    match words[0], next((each for each in words[1:] if each not in ("UNIQUE", "OR", "REPLACE")), ""):
        case "ALTER", "TABLE":
            yield from _altered(tokens, words)
        case "DROP", "TABLE":
            for part in split(tokens[2:], ","):
                yield from _named(part, 0, _ALL, ())
        case "TRUNCATE", _:
            for part in split(tokens[1:], ","):
                yield from _named(part, 0, _ALL)
        case "DROP", "INDEX":
            for part in split(tokens[2:], ","):
                yield from _named(part, 0, _ALL)
        case "CREATE", "INDEX":
            yield from _named(tokens, _after(words, "ON"), _INDEX)
        case (("CREATE" | "DROP"), "TRIGGER"):
            yield from _named(tokens, _after(words, "ON"), _KEY if words[0] == "CREATE" else _ALL)


def _altered(tokens: list[SqlToken], words: list[str]) -> Iterator[Need]:
    drops = tuple(_name(tokens, place + 1) for place, word in enumerate(words) if word == "DROP")
    if "VALIDATE" in words:
        mode = _VALIDATE
    elif "FOREIGN" in words and not {"DROP", "COLUMN"}.intersection(words) and words.count("ADD") == 1:
        mode = _KEY
    else:
        mode = _ALL
    yield from _named(tokens, 2, mode, tuple(filter(None, drops)) or None)


_SKIPPED = frozenset(("TABLE", "ONLY", "CONCURRENTLY", "IF", "EXISTS", "NOT", "COLUMN", "CONSTRAINT"))


def _name(tokens: list[SqlToken], place: int) -> str:
    while place < len(tokens) and tokens[place].word in _SKIPPED:
        place += 1
    return tokens[place].value if place < len(tokens) and tokens[place].is_name else ""


def _named(tokens: list[SqlToken], place: int, mode: int, drops: tuple[str, ...] | None = None) -> Iterator[Need]:
    """The table whose name begins at the place, or behind the words that may stand before it."""
    while place < len(tokens) and tokens[place].word in _SKIPPED:
        place += 1
    parts = list[str]()
    while place < len(tokens) and tokens[place].is_name:
        parts.append('"{}"'.format(tokens[place].value.replace('"', '""')))
        if place + 1 >= len(tokens) or tokens[place + 1].value != ".":
            break
        place += 2
    if parts:
        yield Need(".".join(parts), mode, drops)


def _after(words: list[str], word: str) -> int:
    return words.index(word) + 1 if word in words else len(words)


def _quoted(text: str) -> str:
    marks = "E" if "\\" in text else ""
    return marks + "'{}'".format(re.sub(r"(['\\])", r"\1\1", text) if marks else text.replace("'", "''"))


def _array(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "null::text[]"
    return f"array[{', '.join(map(_quoted, names))}]::text[]"
