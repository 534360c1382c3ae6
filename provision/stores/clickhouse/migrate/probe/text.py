"""A statement or a definition rewritten so that it runs in scratch databases and touches nothing outside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from provision.stores.clickhouse.migrate.parse.statement import query_at
from provision.stores.clickhouse.migrate.parse.tokens import Edit, Token, depths, edited, name_at, quote, tokens
from provision.stores.clickhouse.migrate.probe.picture import local_edits

# Engines that keep their rows in the server and reach nothing else, once a replicated one is made plain.
_CONTAINED = re.compile(r"(?:\w*MergeTree|Memory|Log|TinyLog|StripeLog|Null|Set|Join|Buffer|Distributed|Merge)\Z")
_CONTAINED_DATABASES = ("Atomic", "Ordinary", "Memory", "Lazy")


def retargeted(text: str, scratch: Mapping[str, str], objects: str, touched: Iterable[str]) -> str:
    """`text` with the databases in `scratch` replaced by their scratch databases.

    For "database" and "function" statements `scratch` maps the touched names themselves. Tables need not be touched:
    the scratch database is the current one when the text is run.
    """
    words = tokens(text)
    edits = [*_clusters(words), *local_edits(words), *_queries(words)]
    edits += _qualified(words, scratch) if objects == "table" else _bare(words, scratch, set(touched))
    return edited(text, edits)


def _qualified(words: list[Token], scratch: Mapping[str, str]) -> Iterator[Edit]:
    index = 0
    while index < len(words):
        found = name_at(words, index)
        if found and found[0].database in scratch:
            yield Edit(words[index].start, words[index].end, quote(scratch[found[0].database]))
        index = found[1] if found else index + 1


def _bare(words: list[Token], scratch: Mapping[str, str], touched: set[str]) -> Iterator[Edit]:
    for token in words:
        if token.is_name and token.value in touched:
            yield Edit(token.start, token.end, quote(scratch[token.value]))


def _clusters(words: list[Token]) -> Iterator[Edit]:
    """A scratch database is on this server alone."""
    for index, token in enumerate(words[:-2]):
        if token.word() == "ON" and words[index + 1].word() == "CLUSTER":
            yield Edit(token.start, words[index + 2].end, "")


def _queries(words: list[Token]) -> Iterator[Edit]:
    """A CREATE with a query makes the object and copies nothing, and a refreshable view does not refresh at once."""
    heads = [token.word() for token, depth in zip(words, depths(words), strict=True) if depth == 0]
    query = query_at(words)
    if not heads or heads[0] not in ("CREATE", "REPLACE", "ATTACH") or query is None:
        return
    for token in words[:query]:
        if token.word() == "POPULATE":
            yield Edit(token.start, token.end, "")
    copies = "TABLE" in heads[:6] or "REFRESH" in heads
    if copies and "EMPTY" not in heads:
        yield Edit(words[query].start, words[query].start, "EMPTY ")


def engine_outside(text: str, objects: str) -> str | None:
    """The engine in `text` that reaches outside the server (a queue, a file, another database), or None."""
    words = tokens(text)
    for index, (token, depth) in enumerate(zip(words, depths(words), strict=True)):
        if depth or token.word() != "ENGINE" or index + 1 == len(words):
            continue
        following = words[index + 1]
        engine = words[index + 2].value if following.value == "=" and index + 2 < len(words) else following.value
        plain = re.sub(r"\A(Replicated|Shared)(?=\w*MergeTree)", "", engine)
        inside = bool(_CONTAINED.match(plain)) if objects == "table" else engine in _CONTAINED_DATABASES
        if not inside:
            return engine
    return None
