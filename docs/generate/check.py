"""A new kind of data check: of one row by itself, where stores have columns, or of what every store counts."""

from __future__ import annotations

from typing import NamedTuple

from docs.generate.tree import Name, Refused, Tree

ACROSS = "provision/validate/kinds.py"
PAGE = "docs/validation.md"
PUBLISHED = "docs/schemas/checks.json"
ROW_OF_TABLE = "| `{snake}` | – the table has more rows than it may | `{snake}: {{most: 1000}}` |\n"
ROW_OF_ROWS = "| `{snake}` | it is an empty text; NULL is fine | `{snake}: {{column: a}}` |\n"
SCHEMA = '{CAPS}: Final = body(("column",), {{"column": COLUMN}}, "`{{column: …}}`")\n'


class Part(NamedTuple):
    """Where one engine's condition is listed: its function goes before ROWS, its entry behind the one for `first`."""

    path: str
    first: str
    function: str


SQL = """\
def _{snake}(check: Check, _types: Types) -> str:
    body: Any = check.body
    return f"{condition}"


"""
PARTS = (
    Part(
        "provision/stores/postgres/validate/sql.py",
        "bad",
        SQL.replace("{condition}", "({{name(body['column'])}} = '') is true"),
    ),
    Part(
        "provision/stores/clickhouse/validate/sql.py",
        "bad",
        SQL.replace("{condition}", "ifNull({{name(body['column'])}} = '', 0)"),
    ),
    Part(
        "provision/stores/arango/validate/aql.py",
        "bad",
        "def _{snake}(check: Check, aql: CheckAql) -> str:\n"
        "    body = cast(Mapping[str, Any], check.body)\n"
        "    return f\"{{aql.attribute(body['column'])}} == ''\"\n\n\n",
    ),
    Part(
        "provision/validate/scan.py",
        "not_null",
        "def _{snake}(body: Any) -> Bad:\n"
        '    name = body["column"]\n'
        '    return lambda row: bool(row.get(name) == "")\n\n\n',
    ),
)
# Stores that list their kinds themselves, and the kind of their own that stands first in the page.
LISTS = (
    ("provision/stores/arango/validate/checks.py", "dangling_edge"),
    ("provision/stores/weaviate/validate/checks.py", "vector_dimension"),
)


def write(tree: Tree, name: Name, of: str) -> None:
    """Raises Refused for a sort that there is not, or a name that is taken."""
    if of not in SORTS:
        what = "OF=rows for what makes one row bad, OF=table for what a whole table is held against"
        raise Refused(f"{of!r} is no sort of check: {what}")
    if f'"{name.snake}": {{' in (tree.root / PUBLISHED).read_text(encoding="utf-8"):
        raise Refused(f"{name.snake} is taken: {PUBLISHED} has it")
    SORTS[of](tree, name)
    if not (tree.root / "tests/unit/validate/__init__.py").exists():
        tree.put("tests/unit/validate/__init__.py", "")
    tree.schema("checks")


def _table(tree: Tree, name: Name) -> None:
    forms = name.forms
    tree.new(f"provision/validate/{name.snake}.py", "check/check.txt", forms)
    tree.new(f"tests/unit/validate/test_{name.snake}.py", "check/test.txt", forms)
    tree.add_import(ACROSS, f"from provision.validate.{name.snake} import {forms['Class']}")
    tree.insert(ACROSS, r'(?<="volume": Volume\(\))', f',\n    "{name.snake}": {forms["Class"]}()')
    tree.insert(PAGE, r"^\| `parity` \|", ROW_OF_TABLE.format(**forms))


def _rows(tree: Tree, name: Name) -> None:
    forms = name.forms
    tree.new(f"tests/unit/validate/test_{name.snake}.py", "check/rows_test.txt", forms)
    tree.insert("provision/validate/columns.py", r"^UNIQUE: Final", SCHEMA.format(**forms))
    tree.insert("provision/validate/columns.py", r'(?<=^    "bad": BAD,\n)', '    "{snake}": {CAPS},\n'.format(**forms))
    for part in PARTS:
        tree.insert(part.path, r"^ROWS: Mapping", part.function.format(**forms))
        tree.insert(
            part.path, rf'(?<=^    "{part.first}": _{part.first},\n)', '    "{snake}": _{snake},\n'.format(**forms)
        )
    for path, own in LISTS:
        tree.add_import(path, "from provision.validate.columns import {CAPS}".format(**forms))
        tree.insert(path, r'(?<=^    "range": RANGE,\n)', '    "{snake}": {CAPS},\n'.format(**forms))
        tree.insert(PAGE, rf", `freshness` \| `{own}`", ", `{snake}`".format(**forms))
    tree.insert(PAGE, r"^\| `unique` \|", ROW_OF_ROWS.format(**forms))


SORTS = {"rows": _rows, "table": _table}
