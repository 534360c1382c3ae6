"""Scripts that are easily cut in the wrong place: what may hold a semicolon, in every place where it may be.

Each is valid, ends in rows that tell which statements ran with what in them, and stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

TEXTS = {
    "plain": "'a;b'",
    "quote doubled": "'a'';b'",
    "quote escaped": r"'a\';b'",
    "backslash at the end": r"'a;\\'",
    "backslashes and a quote": r"'a\\\';b'",
    "empty": "''",
    "two quotes": "''''",
    "a semicolon alone": "';'",
    "line comment inside": "'--;'",
    "block comment inside": "'/*;'",
    "end of a block comment inside": "'*/;'",
    "hash inside": "'# ;'",
    "slashes inside": "'//;'",
    "dollars inside": "'$$;'",
    "double quote inside": "'\";'",
    "backtick inside": "'`;'",
    "several lines": "'a;\n-- b;\nc'",
    "not ASCII": "'é;→'",
    "typographic": "‘a;b’",
    "typographic with quotes inside": "‘a;'b\"’",
    "dollars": "$$a;b$$",
    "dollars with quotes inside": "$$a;'b$$",
    "dollars with comments inside": "$$a; -- b; /* c$$",
    "dollars with a tag": "$t$a;$$;b$t$",
    "dollars with a numbered tag": "$_1$;$_1$",
    "dollars with another tag inside": "$a$;$b$;$a$",
    "dollars over several lines": "$$\n;\n# ;\n$$",
    "dollars, empty": "$$$$",
    "hexadecimal": "x'3B'",
    "binary": "b'00111011'",
}
AROUND_TEXTS = {
    "alone": "SELECT {}",
    "at the end": "SELECT {};",
    "between two": "SELECT 1; SELECT {}; SELECT 2",
    "before a comment": "SELECT {} -- c;\n; SELECT 2",
    "behind a comment": "/* c; */ SELECT /* d; */ {}; SELECT 2",
    "in a WITH": "WITH {} AS w SELECT w; SELECT 2",
    "in a call": "SELECT concat({},'x');SELECT 3",
    "twice": "SELECT [{}, {}]; SELECT 4",
    "beside a name": "SELECT {}AS s; SELECT 5",
    "in a view": "CREATE OR REPLACE VIEW v AS SELECT {} AS s; SELECT s FROM v",
    "in a condition": "SELECT 1 WHERE {} != 'no;'; SELECT 6",
    "on lines of its own": "SELECT\n{}\n;\nSELECT 7\n;\n",
}
NAMES = {
    "backticks": "`a;b`",
    "backtick doubled": "`a``;b`",
    "backtick escaped": r"`a\`;b`",
    "double quotes": '"a;b"',
    "double quote doubled": '"a"";b"',
    "double quote escaped": r'"a\";b"',
    "typographic": "“a;b”",
    "line comment inside": "`--;`",
    "block comment inside": '"/*;"',
    "quote inside": "`';`",
    "dollars inside": "`$$;`",
    "a word with dollars": "a$$b$$c",
}
AROUND_NAMES = {
    "alone": "SELECT 1 AS {}",
    "between two": "SELECT 1; SELECT 2 AS {}; SELECT 3",
    "read again": "SELECT {0} FROM (SELECT 2 AS {0}); SELECT 3",
    "of a column": "CREATE OR REPLACE TABLE t ({0} Int8) ENGINE = Memory; INSERT INTO t VALUES (7); SELECT {0} FROM t",
    "in a view": "CREATE OR REPLACE VIEW v AS SELECT 8 AS {0}; SELECT {0} FROM v",
    "before a comment": "SELECT 1 AS {}-- ;\n; SELECT 2",
}
COMMENTS = {
    "line": "-- ;\n",
    "line without a blank": "--;\n",
    "line with a quote": "-- it's;\n",
    "line with an arrow": "--> ;\n",
    "line that opens a block": "-- /* ;\n",
    "line with dollars": "-- $$;\n",
    "slashes": "// ;\n",
    "slashes with a quote": "// it's;\n",
    "hash": "# ;\n",
    "hash with a quote": '# ";\n',
    "hash and exclamation mark": "#! ;\n",
    "block": "/* ; */",
    "block, empty": "/**/",
    "block with a quote": "/* it's; */",
    # On a line of its own: the loop of clickhouse-local, no part of a server, reads up to the end of the line.
    "block over lines": "\n/* ;\n-- ;\n*/",
    "block in a block": "/* ; /* ; */ ; */",
    "block in a block in a block": "/*/*/*;*/;*/;*/",
    "block with dollars": "/* $$; */",
    "two blocks": "/* ; *//* ; */",
}
AROUND_COMMENTS = {
    "before": "{}SELECT 1",
    "inside": "SELECT {} 1; SELECT 2",
    "before the semicolon": "SELECT 1 {}; SELECT 2",
    "behind the semicolon": "SELECT 1;{}SELECT 2",
    "at the end": "SELECT 1; SELECT 2{}",
    "between two semicolons": "SELECT 1;{};SELECT 2",
    "behind a text": "SELECT 'a'{}, 2; SELECT 3",
    "behind a number": "SELECT 1{}+ 1; SELECT 3",
    "in parentheses": "SELECT (1 {} + 2); SELECT 3",
    "twice": "{}SELECT 1;{}SELECT 2",
}
UNCLOSED = {
    "text": "SELECT 'a; SELECT 2",
    "text that ends in an escaped quote": r"SELECT 'a\'; SELECT 2",
    "text that ends in a doubled quote": "SELECT 'a''; SELECT 2",
    "double quotes": 'SELECT 1 AS "a; SELECT 2',
    "backticks": "SELECT 1 AS `a; SELECT 2",
    "backticks that end in an escaped one": r"SELECT 1 AS `a\`; SELECT 2",
    "block": "SELECT 1 /* ; SELECT 2",
    "block in a block": "SELECT 1 /* /* ; */ ; SELECT 2",
    "typographic": "SELECT ‘a; SELECT 2",
}


def scripts() -> Iterator[tuple[str, str]]:
    """Name and text of each script."""
    for group, forms, places in (
        ("text", TEXTS, AROUND_TEXTS),
        ("name", NAMES, AROUND_NAMES),
        ("comment", COMMENTS, AROUND_COMMENTS),
    ):
        for form, written in forms.items():
            for place, around in places.items():
                yield f"{group}, {form}, {place}", around.replace("{0}", "{}").replace("{}", written)
