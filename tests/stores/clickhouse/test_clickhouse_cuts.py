"""Files are cut into statements where ClickHouse's own parser cuts them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from provision.embedded.clickhouse_server.statement import parse
from provision.stores.clickhouse.migrate.parse.lexer import Uncut, cut
from provision.stores.clickhouse.migrate.parse.tokens import tokens
from tests.stores.clickhouse import corpus

pytest.importorskip("chdb")
SCRIPTS = dict(corpus.scripts())
# Each text is run by the engine as a script of its own, in a process that this one learns nothing else from.
ENGINE = """
import json, sys
from chdb.session import Session
session = Session()
def ran(text):
    try:
        return session.query(text, "TSV").bytes().decode()
    except Exception as error:
        return {"error": str(error)[:300]}
print(json.dumps([[ran(text) for text in group] for group in json.load(sys.stdin)]))
"""


def ran(groups: Sequence[Sequence[str]]) -> list[list[object]]:
    """What the engine printed for each text; a dictionary for one that it refused."""
    done = subprocess.run(
        [sys.executable, "-c", ENGINE], input=json.dumps(groups), capture_output=True, text=True, check=True
    )
    found: list[list[object]] = json.loads(done.stdout)
    return found


def test_corpus_is_as_large_as_it_is_said_to_be() -> None:
    assert len(SCRIPTS) >= 300
    assert len(set(SCRIPTS.values())) == len(SCRIPTS)


def test_cut_pieces_give_one_by_one_what_the_engine_gives_for_the_whole() -> None:
    listed = ran([[text, *cut(text)] for text in SCRIPTS.values()])

    wrong = {}
    for (name, text), (whole, *pieces) in zip(SCRIPTS.items(), listed, strict=True):
        if not isinstance(whole, str) or "".join(map(str, pieces)) != whole:
            wrong[name] = (text, whole, cut(text), pieces)
    assert wrong == {}


def test_each_piece_is_one_statement_to_the_engines_parser() -> None:
    pieces = sorted({each for text in SCRIPTS.values() for each in cut(text)})

    listed = ran([[f"EXPLAIN AST {each}" for each in pieces if not each.startswith(("INSERT", "CREATE"))]])

    assert [each for each in listed[0] if not isinstance(each, str) or "\n" not in each] == []


def test_embedded_server_sees_one_statement_where_there_is_one() -> None:
    seen = {text: parse(text.encode()).several for text in SCRIPTS.values()}

    assert [text for text, several in seen.items() if several is not (len(cut(text)) > 1)] == []
    assert [each for text in SCRIPTS.values() for each in cut(text) if parse(each.encode()).several] == []


@pytest.mark.parametrize("comment", corpus.COMMENTS.values(), ids=corpus.COMMENTS)
def test_comment_behind_the_last_semicolon_is_no_statement(comment: str) -> None:
    # The engine's own loop over statements takes some of these for an empty query.
    assert cut(f"SELECT 1; SELECT 2;{comment}") == ["SELECT 1", "SELECT 2"]


@pytest.mark.parametrize("text", corpus.UNCLOSED.values(), ids=corpus.UNCLOSED)
def test_what_is_not_closed_is_refused_as_the_engine_refuses_it(text: str) -> None:
    ((answer,),) = ran([[text]])

    assert isinstance(answer, dict)
    with pytest.raises(Uncut, match="is not closed"):
        cut(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("SELECT $a b$x; SELECT $a b$", "servers older than 24"),
        ("INSERT INTO t FORMAT CSV 1,2; SELECT 1", "only the format CSV knows"),
        ("INSERT INTO t (a, b) FORMAT TSV\n1\t2\n", "only the format TSV knows"),
        ("INSERT INTO t SETTINGS x = 1 FORMAT CustomSeparated a;b", "only the format CustomSeparated knows"),
    ],
)
def test_where_it_cannot_be_known_a_file_is_refused(text: str, what: str) -> None:
    with pytest.raises(Uncut, match=what):
        cut(text)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO format VALUES (1)",
        "INSERT INTO t (format, csv) VALUES (1, 2)",
        'INSERT INTO t FORMAT JSONEachRow {"a": "x;y"}',
        "INSERT INTO t FORMAT Values (1)",
        "INSERT INTO t SELECT format FROM u FORMAT Null",
        "SELECT 1 FORMAT CSV",
    ],
)
def test_data_that_end_where_the_lexer_says_are_one_statement(text: str) -> None:
    assert cut(f"{text};") == [text]


@pytest.mark.parametrize("name", [each for each in SCRIPTS if each.startswith("text, ")][::12])
def test_tokens_of_a_text_are_one_string(name: str) -> None:
    (first, *_) = cut(SCRIPTS[name])

    assert [each.kind for each in tokens(first)] in (["name", "string"], ["name", "name", "string"])
