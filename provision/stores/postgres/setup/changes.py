"""The statements that make the objects of one snapshot those of another.

They can be run where the change is made already: what is there is left, what is gone is passed by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from provision.model import StoreOptions
from provision.ports.kind import Change, Objects
from provision.stores.postgres.setup import draft, tables
from provision.text.files import UNFILLED

# In the order in which they are made.
_KINDS = (
    "schema",
    "extension",
    "type",
    "collation",
    "sequence",
    "table",
    "foreign table",
    "function",
    "procedure",
    "aggregate",
    "view",
    "materialized view",
    "index",
    "constraint",
    "trigger",
    "policy",
    "rule",
    "statistics",
    "event trigger",
    "publication",
    "setting",
)
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
_BUILT = re.compile(r"^((?:CREATE (?:UNIQUE )?|DROP )INDEX)")
_THERE = "duplicate_object or duplicate_table or invalid_table_definition"


class _Named(NamedTuple):
    """An object: `name` as statements write it, `table` of what belongs to one."""

    kind: str
    name: str
    table: str = ""


def changes(before: Objects, after: Objects) -> list[Change]:
    """One for each object that is not the same in both: what is made in its order, then what is dropped against it.

    What belongs to a table or a constraint that is made or dropped comes with it.
    """
    names = [each for each in {**before, **after} if before.get(each) != after.get(each)]
    made = sorted((each for each in names if each in after), key=_place)
    dropped = sorted((each for each in names if each not in after), key=_place, reverse=True)
    found = []
    for each in (*dropped, *made):
        whole = _whole(each, before, after)
        lines = (
            []
            if whole
            else list(_change(_named(each, before.get(each) or after[each]), before.get(each), after.get(each)))
        )
        told = tuple(line.removeprefix("-- ") for line in lines if line.startswith("--"))
        found.append(Change(each, tuple(line for line in lines if not line.startswith("--")), "; ".join(told), whole))
    return found


def _place(name: str) -> tuple[int, bool, str]:
    return _KINDS.index(_kind(name)), "FOREIGN" in name, name


def _kind(name: str) -> str:
    return next(each for each in sorted(_KINDS, key=len, reverse=True) if name.startswith(f"{each} "))


def _named(name: str, text: str) -> _Named:
    kind = _kind(name)
    rest = name[len(kind) + 1 :]
    if kind in ("constraint", "trigger", "policy", "rule"):
        own, _, table = rest.rpartition(" of ")
        return _Named(kind, own, table)
    if kind == "index":
        on = re.search(r" ON (?:ONLY )?(\S+) USING ", text)
        return _Named(kind, rest, on[1] if on else "")
    return _Named(kind, rest)


def _whole(name: str, before: Objects, after: Objects) -> str:
    """The object that this one comes and goes with; empty for one that stands for itself."""
    here = before if name not in after else after
    there = after if name not in after else before
    found = _named(name, here[name])
    if found.kind == "index":
        own = f"constraint {found.name.rpartition('.')[2]} of {found.table}"
        if own in here and (before.get(own) != after.get(own) or own in there):
            return own
    table = f"table {found.table}"
    if found.table and name not in after and table in before and table not in after:
        return table
    return ""


def _change(found: _Named, before: str | None, after: str | None) -> Iterator[str]:
    if after is None:
        yield _drop(found)
        return
    plain = found.kind in ("table", "foreign table", "type", "sequence", "schema", "extension")
    lines = list((_plain if plain else _defined)(found, before, after))
    yield from lines
    # What is dropped and made again has neither comment nor rights.
    yield from _rights(found, "" if before is None or _drop(found) in lines else before, after)


def _drop(found: _Named) -> str:
    if found.kind == "constraint":
        return f"ALTER TABLE {found.table} DROP CONSTRAINT IF EXISTS {found.name}"
    if found.kind == "setting":
        return _setting(found, None)
    if found.kind in ("trigger", "policy", "rule"):
        return f"DROP {found.kind.upper()} IF EXISTS {found.name} ON {found.table}"
    return f"DROP {found.kind.upper()} IF EXISTS {found.name}"


def _plain(found: _Named, before: str | None, after: str) -> Iterator[str]:
    if found.kind == "table":
        now = tables.read(after)
        yield from (
            tables.made(found.name, now) if before is None else tables.altered(found.name, tables.read(before), now)
        )
    elif found.kind == "type":
        yield from _type(found.name, before, after)
    elif found.kind == "schema" and before is None:
        yield f"CREATE SCHEMA IF NOT EXISTS {found.name}"
    elif found.kind == "sequence":
        yield from _sequence(found.name, before, after)
    elif found.kind == "extension":
        version = after.removeprefix("version ")
        made = f"CREATE EXTENSION IF NOT EXISTS {found.name}"
        yield made if before is None else f"ALTER EXTENSION {found.name} UPDATE TO '{version}'"
    elif found.kind == "foreign table":
        yield f"-- {found.name}: write the foreign table by hand"


def _sequence(name: str, before: str | None, after: str) -> Iterator[str]:
    was, now = ((text or "sequence").split("\n")[0].removeprefix("sequence").strip() for text in (before, after))
    if before is None:
        yield f"CREATE SEQUENCE IF NOT EXISTS {name} {now}".rstrip()
    elif was != now:
        # What is not said is as it is without a word; START is left to whoever restarts it.
        usual = {"INCREMENT BY": "INCREMENT BY 1", "MINVALUE": "NO MINVALUE", "MAXVALUE": "NO MAXVALUE"}
        usual |= {"CACHE": "CACHE 1", "CYCLE": "NO CYCLE", "AS": "AS bigint", "START WITH": "START WITH 1"}
        back = [text for word, text in usual.items() if re.search(rf"\b{word}\b", was) and f"{word} " not in f"{now} "]
        yield f"ALTER SEQUENCE {name} {' '.join([*back, now])}".rstrip()


def _setting(found: _Named, value: str | None) -> str:
    """Of the database that one is in, which has another name wherever it is."""
    name, _, role = found.name.partition(" of ")
    whom = f"ALTER ROLE {role.replace('%', '%%')} IN DATABASE %I" if role else "ALTER DATABASE %I"
    change = f"RESET {name}" if value is None else f"SET {name} TO {_literals(name, value)}"
    text = f"{whom} {change.replace('%', '%%')}".replace("'", "''")
    return f"DO $once$ BEGIN EXECUTE format('{text}', current_database()); END $once$"


def _literals(name: str, value: str) -> str:
    """A value; those of a list are kept as they stand."""
    return value if name in ("search_path", "temp_tablespaces") else "'" + value.replace("'", "''") + "'"


def _type(name: str, before: str | None, after: str) -> Iterator[str]:
    if before is None:
        first, *checks = [line.strip() for line in _split(after)[0].split("\n")]
        word, _, rest = first.partition(" ")
        rest = " ".join([rest, *checks])
        made = {
            "enum": f"CREATE TYPE {name} AS ENUM ({rest})",
            "range": f"CREATE TYPE {name} AS RANGE (SUBTYPE = {rest.removeprefix('of ')})",
            "domain": f"CREATE DOMAIN {name} AS {rest}",
        }.get(word) or tables.composite(name, list(tables.read(after).columns.values()))
        yield _once(made)
        return
    if before.startswith("domain ") and after.startswith("domain "):
        yield from _domain(name, before, after)
        return
    if before.split("\n")[0] == after.split("\n")[0] and before.startswith(("enum ", "range ")):
        return  # its comment, or who may use it
    was, now = (re.findall(r"'((?:[^']|'')*)'", text.split("\n")[0]) for text in (before, after))
    if not (before.startswith("enum ") and after.startswith("enum ")) or [each for each in now if each in was] != was:
        yield f"-- {name}: a type cannot be altered so: make it anew"
        return
    for place, label in enumerate(now):
        if label not in was:
            behind = f" AFTER '{now[place - 1]}'" if place else f" BEFORE '{now[1]}'" if len(now) > 1 else ""
            yield f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS '{label}'{behind}"


def _domain(name: str, before: str, after: str) -> Iterator[str]:
    pattern = re.compile(r"domain (.*?)( not null)?(?: default (.*))?$", re.DOTALL)
    (was, *had), (now, *has) = ([line.strip() for line in _split(text)[0].split("\n")] for text in (before, after))
    old, new = pattern.match(was), pattern.match(now)
    if old is None or new is None or old[1] != new[1]:
        yield f"-- {name}: a domain cannot have another type: make it anew"
        return
    if old[2] != new[2]:
        yield f"ALTER DOMAIN {name} {'SET' if new[2] else 'DROP'} NOT NULL"
    if old[3] != new[3]:
        yield f"ALTER DOMAIN {name} {f'SET DEFAULT {new[3]}' if new[3] else 'DROP DEFAULT'}"
    gone = [each for each in had if each not in has]
    yield from (f"ALTER DOMAIN {name} DROP CONSTRAINT IF EXISTS {_constraint(each)}" for each in gone)
    yield from (_once(f"ALTER DOMAIN {name} ADD {each}") for each in has if each not in had)


def _constraint(text: str) -> str:
    found = re.match(r'CONSTRAINT ("(?:[^"]|"")+"|\S+) ', text)
    return found[1] if found else text


def _defined(found: _Named, before: str | None, after: str) -> Iterator[str]:
    text, rest = _split(after)
    was = None if before is None else _split(before)
    if was == (text, rest):
        return
    if found.kind in ("function", "procedure"):
        yield text
    elif found.kind == "view":
        options = f" WITH ({rest['WITH']})" if "WITH" in rest else ""
        rest_of = f"VIEW {found.name}{options} AS {text.strip().rstrip(';')}"
        yield f"CREATE OR REPLACE {rest_of}" if before is None else _replaced(found, rest_of)
    elif found.kind == "materialized view":
        yield from _materialized(found, was, text, rest)
    elif found.kind == "index":
        yield from _index(found, was and was[0], text)
    elif found.kind == "constraint":
        added = f"ALTER TABLE {found.table} ADD CONSTRAINT {found.name} {text}"
        yield from [_once(added)] if before is None else [_drop(found), added]
    elif found.kind == "policy":
        yield _drop(found)
        yield _policy(found, text)
    elif found.kind == "collation":
        yield from [_drop(found)] if before is not None else []
        yield f"CREATE COLLATION IF NOT EXISTS {found.name} ({text})"
    elif found.kind == "setting":
        yield _setting(found, text)
    elif found.kind == "publication":
        yield from _publication(found, was and was[0], text)
    elif found.kind in ("trigger", "rule", "statistics", "event trigger"):
        yield from _anew(found, text)
    else:
        yield f"-- {found.name}: write the {found.kind} by hand"


def _materialized(
    found: _Named, was: tuple[str, dict[str, str]] | None, text: str, rest: dict[str, str]
) -> Iterator[str]:
    if was is not None and was[0] == text:
        of = f"MATERIALIZED VIEW {found.name}"
        yield from tables.options(of, was[1].get("WITH", ""), rest.get("WITH", ""))
        return
    options = f" WITH ({rest['WITH']})" if "WITH" in rest else ""
    yield _drop(found)
    yield f"CREATE MATERIALIZED VIEW {found.name}{options} AS {text.strip().rstrip(';')}"


def _publication(found: _Named, before: str | None, text: str) -> Iterator[str]:
    if before is not None and "all tables" in before + text:
        yield f"-- {found.name}: a publication of all tables is made anew by hand"
        return
    made = "FOR ALL TABLES" if text == "all tables" else f"FOR TABLE {text}" if text else ""
    yield _once(f"CREATE PUBLICATION {found.name} {made}".rstrip())
    yield from [f"ALTER PUBLICATION {found.name} SET TABLE {text}"] if before is not None and text else []


def _anew(found: _Named, text: str) -> Iterator[str]:
    """What its own definition makes again."""
    yield _drop(found)
    yield text.partition(" enabled ")[0]
    if found.kind == "event trigger":
        yield from _enabled(f"ALTER EVENT TRIGGER {found.name}", text)
    elif found.kind == "trigger":
        yield from (f"{each} TRIGGER {found.name}" for each in _enabled(f"ALTER TABLE {found.table}", text))


def _enabled(alter: str, text: str) -> Iterator[str]:
    """For a trigger that is not enabled as one is that is new."""
    state = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}.get(text.partition(" enabled ")[2])
    if state:
        yield f"{alter} {state}"


def _replaced(found: _Named, rest: str) -> str:
    """A view with fewer columns cannot be replaced: it is made anew."""
    anew = f"{_drop(found)}; CREATE {rest}"
    return f"DO $once$ BEGIN CREATE OR REPLACE {rest}; EXCEPTION WHEN invalid_table_definition THEN {anew}; END $once$"


def _index(found: _Named, before: str | None, text: str) -> Iterator[str]:
    if before is not None and before.removesuffix(" INVALID") == text:
        yield f"REINDEX INDEX {found.name}"
        return
    if before is not None:
        yield _drop(found)
    if text.endswith(" INVALID"):
        yield f"-- {found.name} is not valid: drop it, or build it again"
    else:
        yield re.sub(r"^(CREATE (?:UNIQUE )?INDEX) ", r"\1 IF NOT EXISTS ", text)


def _policy(found: _Named, text: str) -> str:
    head, *rest = text.split("\n  ")
    kind, _, command = head.partition(" for ")
    parts = [f"CREATE POLICY {found.name} ON {found.table} AS {kind.upper()} FOR {_COMMANDS[command]}"]
    for line in rest:
        word, _, what = line.partition(" ")
        if what:
            parts.append({"to": f"TO {what}", "using": f"USING ({what})", "check": f"WITH CHECK ({what})"}[word])
    return " ".join(parts)


def _split(text: str) -> tuple[str, dict[str, str]]:
    """A definition, and what stands below it: its options, whom it is granted to, its comment."""
    text = text.partition("\n  COMMENT ")[0]
    lines, rest = text.split("\n"), dict[str, str]()
    while len(lines) > 1 and (word := re.match(r"  (WITH|GRANTED|NOT GRANTED) ", lines[-1])):
        rest[word[1]] = lines.pop()[len(word[0]) :]
    return "\n".join(lines), {key: value for key, value in rest.items() if key == "WITH"}


def _rights(found: _Named, before: str, after: str) -> Iterator[str]:
    kind = "TABLE" if "view" in found.kind or found.kind == "foreign table" else found.kind.upper()
    was, now = (text.partition("\n  COMMENT ")[2] for text in (before, after))
    if was != now and found.kind not in ("rule", "statistics", "setting"):
        text = "'" + now.replace("'", "''") + "'" if now else "NULL"
        on = f" ON {found.table}" if found.kind in ("constraint", "trigger", "policy") else ""
        yield f"COMMENT ON {found.kind.upper()} {found.name}{on} IS {text}"
    had, has = (_grants(re.search(r"\n  GRANTED (.*)", text)) for text in (before, after))
    for who, what in sorted(has - had):
        option = " WITH GRANT OPTION" if what.endswith("*") else ""
        yield f"GRANT {what.rstrip('*')} ON {kind} {found.name} TO {who}{option}"
    had_not, has_not = (re.search(r"\n  NOT GRANTED public (.*)", text) for text in (before, after))
    if has_not and not had_not:
        yield f"REVOKE {has_not[1]} ON {kind} {found.name} FROM public"
    elif had_not and not has_not:
        yield f"GRANT {had_not[1]} ON {kind} {found.name} TO public"
    for who, what in sorted(had - has):
        yield f"REVOKE {what.rstrip('*')} ON {kind} {found.name} FROM {who}"


def _grants(line: re.Match[str] | None) -> set[tuple[str, str]]:
    """Whom what is granted; a star marks what may be granted on."""
    found = set()
    for each in line[1].split(", ") if line else ():
        who, _, rights = each.partition(" ")
        for right in re.findall(r"([A-Z]+)( with grant option)?", rights):
            found.add((who, right[0] + ("*" if right[1] else "")))
    return found


def _once(statement: str) -> str:
    """A statement without IF NOT EXISTS, passed by where it is done already."""
    return f"DO $once$ BEGIN {statement}; EXCEPTION WHEN {_THERE} THEN NULL; END $once$"


def write(options: StoreOptions, message: str, up: Sequence[Change], down: Sequence[Change]) -> Sequence[Path]:
    """Write the Alembic revision that makes the changes where they are not made yet. Raises as `draft.write`."""
    paths = draft.write(options, message, ())
    path = paths[0]
    text = path.read_text(encoding="utf-8")
    text = text.replace(draft.UP, _body(up), 1).replace(draft.DOWN, _body(down), 1)
    lost = any(re.match(r"DROP (?!POLICY|TRIGGER)|.* DROP COLUMN", line) for each in up for line in each.statements)
    if lost and "\ndestructive" not in text:
        text = re.sub(r"^(revision\b.*)$", r"\1\ndestructive = True", text, count=1, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8", newline="\n")
    return paths


def _body(found: Sequence[Change]) -> str:
    lines = []
    for each in found:
        if each.by_hand:
            lines.append(f"# {UNFILLED}: {each.by_hand}")
        for line in each.statements:
            alone = _BUILT.sub(r"\1 CONCURRENTLY", line)
            lines += ["with op.get_context().autocommit_block():"] if alone != line else []
            lines.append(f"{'    ' if alone != line else ''}op.execute({_literal(alone)})")
    return "\n    ".join(lines or ["pass"])


def _literal(statement: str) -> str:
    """A Python literal; SQLAlchemy takes a colon before a word as a parameter, unless it is escaped."""
    return repr(re.sub(r"(?<!:):(?=\w)", r"\\:", statement))
