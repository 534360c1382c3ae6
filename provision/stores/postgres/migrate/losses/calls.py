"""The functions that a query calls, as far as they are not among the server's best known ones."""

from __future__ import annotations

import re

from provision.stores.postgres.migrate.sql_tokens import SqlToken

_VERB = re.compile(r"\s*(?:\(\s*)*(?:select|with|values|insert|update|delete|merge|copy|explain)\b", re.IGNORECASE)
_CALL = re.compile(r"(?<![\w.\"])((?:\w+\s*\.\s*)?[a-z_]\w*)\s*\(", re.IGNORECASE)
_TARGET = re.compile(r"\b(?:into|as|with)\s+$", re.IGNORECASE)
_CATALOG = "pg_catalog."
# Keywords before a parenthesis, types, and functions too ordinary to look up whether they come with the server.
_ORDINARY = """
all and any as asc between bigint bit boolean by case cast char character check conflict cube date decimal default
delete desc distinct do else end except exists extract filter from full group grouping having if in inner int
integer intersect interval into is join key lateral left like ilike limit materialized not numeric of offset on only
or order over overlaps partition precision primary real references returning right rollup row select set sets
similar smallint some table tablesample text then time timestamp timestamptz union unique update using values
varchar varying version when where window with within array_agg avg coalesce concat count current_setting format
gen_random_uuid generate_series greatest least length lower max md5 min now nullif random replace round row_number
set_config setval substring sum to_char to_regclass trim unnest upper
"""
_KNOWN = frozenset(_ORDINARY.split())


def called_in(text: str) -> frozenset[str]:
    """The same of a text that was not read; what looks like a call inside a string counts as one."""
    if "(" not in text or _VERB.match(text) is None:
        return frozenset()
    found = (
        re.sub(r"\s", "", match[1]).lower()
        for match in _CALL.finditer(text)
        if not _TARGET.search(text[max(match.start() - 20, 0) : match.start()])
    )
    return frozenset(each for each in found if not _is_known(each))


def called(words: list[SqlToken]) -> frozenset[str]:
    """The functions that a statement calls: `name`, or `schema.name` where it is written so."""
    found = set()
    for place in range(len(words) - 1):
        if not words[place].is_name or words[place + 1].value != "(":
            continue
        qualified = place > 1 and words[place - 1].value == "."
        schema = f"{words[place - 2].value}." if qualified else ""
        before = place - (3 if qualified else 1)
        # INSERT INTO t (…), and the columns of an alias or of a common table expression.
        if before < 0 or words[before].word not in ("INTO", "AS", "WITH"):
            found.add(schema + words[place].value)
    return frozenset(each for each in found if not _is_known(each))


def _is_known(name: str) -> bool:
    return name in _KNOWN or name.startswith(_CATALOG)
